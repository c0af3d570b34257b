// expect: script.memory_limit
// No frame on the stack, and a chain of promises that only ends with the last.
async function next() {
  await null;
  return next();
}
return next();
