// expect: ok
// A getter, a comparator or a reviver that waits stands between the engine and its task.
var tries = [
  function () { return { get a() { return Async.sleep(1); } }.a; },
  function () { return "" + { toString: function () { return Tool.execute("calculator", { input: "1" }).text; } }; },
  function () { return new Proxy({}, { get: function () { Async.sleep(1); return 1; } }).x; },
  function () { return JSON.stringify({ toJSON: function () { return State.get("k"); } }); },
  function () { return (0, eval)("Async.sleep(1)"); },
  function () { return new Function("return State.get('k', 1)")(); },
  function () { Object.defineProperty([], "0", { get: function () { Async.sleep(1); } })[0]; },
];
for (var i = 0; i < tries.length; i++) {
  try { tries[i](); } catch (e) {
    if (e.code !== "script.cannot_wait_here") return i + ": " + e;
  }
}
return Tool.execute("calculator", { input: "6 * 7" }).output === 42 ? "contained" : "no answer";
