// expect: ok
// profile: medium
// Objects of the prelude, and what is on them, in the hands of the script.
var task = Async.spawn(function () { Async.sleep(5); return 7; });
var tricks = [
  function () { task.await = function () { for (;;); }; }, function () { Object.getPrototypeOf(task).await = null; },
  function () { Tool.execute = null; }, function () { delete Tool.execute; }, function () { Async.sleep = null; },
  function () { Object.setPrototypeOf(Tool, null); }, function () { Object.getPrototypeOf(Tool).execute = null; },
  function () { clearTimeout({ valueOf: function () { for (;;); } }); }, function () { clearTimeout("__proto__"); },
  function () { clearTimeout("constructor"); }, function () { setTimeout("1 + 1", 1); },
  function () { Logger.inner.record = null; Logger.inner.levels.error = -1; },
];
for (var i = 0; i < tricks.length; i++) {
  try { tricks[i](); } catch (e) {}
}
Logger.error("still", { a: 1 });
Async.sleep(20);
return Tool.execute("calculator", { input: "6 * 7" }).output === 42 ? "contained" : "no answer";
