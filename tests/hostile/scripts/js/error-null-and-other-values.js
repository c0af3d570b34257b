// expect: ok
// limits: wall_s = 8
// Whatever is thrown arrives as an error, at the host and back.
const values = [
  null, undefined, 0, -0, NaN, "", "text", 10n ** 30n, Symbol("s"), () => 1, [], {}, new Map(),
  Object.create(null), new Proxy({}, {}), new Proxy(() => 1, {}), Promise.resolve(1), new Date(NaN),
];
const hook = await Hook.register("before_tool_execution", () => { throw values[0]; }, { guard: true })
  .catch(() => null);
const wrong = [];
for (const value of values) {
  const tool = await Tool.create({
    name: "thrower", description: "d", parameters: {}, execute() { throw value; },
  });
  try {
    await tool.execute({});
    wrong.push(typeof value);
  } catch (error) {
    if (typeof error.message !== "string") wrong.push(typeof value);
  }
}
return wrong.length === 0 ? "contained" : "no error for " + wrong;
