// expect: ok
// limits: wall_s = 8
// Each attempt is overtaken by a change made within it: after some it fails.
await State.set("n", 0);
let calls = 0;
try {
  await State.update("n", async (n) => { calls++; await State.set("n", calls); return n; });
  return "it was kept after " + calls;
} catch (error) {
  return error.code === "state.conflict" && calls < 100 ? "contained" : error.code;
}
