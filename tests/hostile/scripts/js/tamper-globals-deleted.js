// expect: ok
const { execute } = Tool, sleep = Async.sleep, { spawn } = Async;
const { getOwnPropertyNames } = Object;
for (const owner of [Promise, Array.prototype, Object, Reflect, JSON, globalThis]) {
  for (const name of getOwnPropertyNames(owner)) {
    try { delete owner[name]; } catch {}
  }
}
await sleep(1);
const task = spawn(async () => (await execute("calculator", { input: "6 * 7" })).output);
return (await task) === 42 ? "contained" : "it gave " + (await task);
