// expect: ok
// What an error tells of the machine: names of the script, no paths, no prelude.
var found = [];
function look(run) {
  try { run(); } catch (e) { found.push(e.stack, e.source, e.message, e.fileName, JSON.stringify(e.details)); }
}
look(function () { null.x; });
look(function () { Tool.execute("no-such-tool", {}); });
look(function () { Tool.execute("file-operations", { operation: "read", path: "/etc/passwd" }); });
look(function () { JSON.encode(Symbol()); });
look(function () { Async.spawn(1); });
look(function () { require("os"); });
look(function () { (0, eval)("("); });
var leaks = found.join("\n").match(/site-packages|\.py\b|Traceback|primordials|\/home\/|\/root\/|\/tmp\//g);
return leaks === null ? "contained" : "leaks " + leaks;
