// expect: ok
// Walks from whatever is called back to whoever called it.
var found = [];
function walk() {
  var starts = [function () { return walk.caller; }, function () { return arguments.callee.caller; }];
  for (var i = 0; i < starts.length; i++) {
    try {
      var at = starts[i]();
      for (var j = 0; at && j < 100; j++) {
        if (typeof at.fileName === "string" && !/native|input/.test(at.fileName)) found.push(at.fileName);
        at = at.caller;
      }
    } catch (e) {}
  }
  return 1;
}
[2, 1].sort(walk);
"a".replace(/a/, walk);
[1].forEach(walk);
State.set("k", { get a() { return walk(); } });
Hook.register("before_tool_execution", walk);
Tool.execute("calculator", { input: "1" });
return found.length === 0 ? "contained" : found.join();
