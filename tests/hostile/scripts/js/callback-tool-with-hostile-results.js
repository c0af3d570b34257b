// expect: ok
// limits: wall_s = 8
const cycle = [];
cycle.push(cycle);
const nested = (n) => { let v = []; for (let i = 0; i < n; i++) v = [v]; return v; };
const results = [
  cycle, nested(1e4), "x".repeat(2e6), new Array(3e4).fill(0), Symbol("s"), new Proxy({}, { ownKeys() { throw 1; } }),
  { success: "no", output: cycle }, { then: (resolve) => resolve(cycle) }, { toJSON() { throw null; } }, 10n ** 40n,
  { text: { $h: 1 }, output: { $f: 99 } }, [NaN, Infinity, -0], new Uint8Array(1e6), { "\ud800": "\udfff" },
  { error: { code: "script.exit", details: { code: 7 } }, success: false }, function () {}, Promise.reject(null),
];
let next = 0;
const tool = await Tool.create({ name: "hostile", description: "d", parameters: {}, execute: () => results[next] });
let failed = 0;
for (next = 0; next < results.length; next++) {
  try { await tool.execute({}); } catch { failed++; }
}
results[next] = 42;
const { output } = await tool.execute({});
return failed >= 6 && output === 42 ? "contained" : failed + " failed, then " + output;
