// expect: ok
// limits: wall_s = 8
// Whatever a hook answers: the call is refused, changed or made, and the host lives.
const cycle = {};
cycle.cycle = cycle;
const answers = [
  cycle, new Proxy({}, { get() { throw 1; }, ownKeys() { throw 2; } }), { type: cycle }, { type: "modified" },
  { type: "modified", data: cycle }, { type: "modified", data: { tool: 5, arguments: "x", point: null } },
  { type: "replace", result: "x".repeat(2e6) }, { type: "replace", result: () => 1 }, { type: "redirect" },
  { type: "redirect", target: "file-operations" }, { type: "redirect", target: { toString: null } },
  { type: "retry", delay_ms: -1e308 }, { type: "retry", delay_ms: NaN }, { type: "nonsense" }, [[]], 1, "x",
  { type: "cancel", reason: "r".repeat(1e5) }, { type: "modified", data: { __proto__: { a: 1 }, constructor: 1 } },
];
let next = 0, reached = 0;
const hook = await Hook.register("before_tool_execution", () => answers[next]);
for (next = 0; next < answers.length; next++) {
  try {
    const { output } = await Tool.execute("calculator", { input: "6 * 7", path: "/etc/passwd" });
    if (/root:/.test(String(output))) reached++;
  } catch {}
}
await hook.unregister();
const { output } = await Tool.execute("calculator", { input: "6 * 7" });
return reached === 0 && output === 42 ? "contained" : "reached";
