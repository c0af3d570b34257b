// expect: script.memory_limit
// limits: cpu_s = 4, wall_s = 8
// No frame on the stack, and a chain of promises that only ends with the last.
async function next() {
  await null;
  return next();
}
return next();
