// expect: ok
// limits: wall_s = 8
var ways = {
  plain: function () { function f() { return 1 + f(); } return f(); },
  getter: function () { var o = { get a() { return o.a; } }; return o.a; },
  proxy: function () { var p = new Proxy({}, { get: function (_, key) { return p[key]; } }); return p.x; },
  tostring: function () { var o = { toString: function () { return "" + o; } }; return "" + o; },
  tojson: function () { var o = { toJSON: function () { return { o: o }; } }; return JSON.stringify(o); },
  sort: function () { function f() { return [2, 1].sort(f).length; } return f(); },
  replace: function () { function f() { return "a".replace(/a/, f); } return f(); },
  apply: function () { function f() { return 1 + f.apply(null, arguments); } return f(1, 2, 3); },
  construct: function () { function F() { this.inner = new F(); } return new F(); },
  regex: function () { return new RegExp(new Array(1e5).join("(") + new Array(1e5).join(")")).test(""); },
  source: function () { return Function("return " + new Array(1e5).join("(") + new Array(1e5).join(")")); },
  evaluated: function () { return (0, eval)("(function f() { return 1 + (0, eval)('(' + f + ')()'); })()"); },
};
var wrong = [];
for (var name in ways) {
  try {
    ways[name]();
    wrong.push(name);
  } catch (e) {
    if (!(e instanceof Error)) wrong.push(name + ": " + e);
  }
}
return wrong.length === 0 ? "contained" : "these ended well: " + wrong;
