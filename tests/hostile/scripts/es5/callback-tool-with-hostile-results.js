// expect: ok
// limits: wall_s = 8
var cycle = [], next = 0, failed = 0;
cycle.push(cycle);
var results = [
  cycle, "x".repeat(2e6), Symbol("s"), new Proxy({}, { ownKeys: function () { throw 1; } }), { success: "no", output: cycle },
  { toJSON: function () { throw null; } }, { text: { $h: 1 }, output: { $f: 99 } }, [NaN, Infinity],
  { error: { code: "script.exit", details: { code: 7 } }, success: false }, function () {},
];
var tool = Tool.create({ name: "hostile", description: "d", parameters: {}, execute: function () { return results[next]; } });
for (next = 0; next < results.length; next++) {
  try { tool.execute({}); } catch (e) { failed++; }
}
results[next] = 42;
return failed >= 4 && tool.execute({}).output === 42 ? "contained" : failed + " failed";
