// expect: ok
// limits: wall_s = 8
const ways = {
  plain: () => { const f = () => 1 + f(); return f(); },
  getter: () => { const o = { get a() { return o.a; } }; return o.a; },
  proxy: () => { const p = new Proxy({}, { get: (_, key) => p[key] }); return p.x; },
  tostring: () => { const o = { toString: () => "" + o }; return "" + o; },
  tojson: () => { const o = { toJSON: () => ({ o }) }; return JSON.stringify(o); },
  sort: () => { const f = () => [2, 1].sort(f).length; return f(); },
  replace: () => { const f = () => "a".replace(/a/, f); return f(); },
  generator: () => { function* g() { yield* g(); } return [...g()]; },
  constructor: () => { class A { b = new A(); } return new A(); },
  spread: () => { const o = { get a() { return { ...o }; } }; return { ...o }; },
  bind: () => { let f = () => 1; for (let i = 0; i < 1e6; i++) f = f.bind(null); return f(); },
  apply: () => { const f = (...args) => Reflect.apply(f, null, args); return f(1, 2, 3); },
  regex: () => new RegExp("(".repeat(1e5) + ")".repeat(1e5)).test(""),
  source: () => Function("return " + "(".repeat(1e6) + ")".repeat(1e6)),
  unary: () => Function("return " + "-".repeat(1e6).replaceAll("-", "- ") + "1"),
};
const wrong = [];
for (const name of Object.keys(ways)) {
  try {
    ways[name]();
    wrong.push(name);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof SyntaxError || error.message)) wrong.push(name);
  }
}
return wrong.length === 0 ? "contained" : "these ended well: " + wrong;
