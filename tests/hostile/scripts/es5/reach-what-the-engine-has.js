// expect: ok
var G = Function("return this")(), found = [];
var names = ["Duktape", "CBOR", "require_", "module", "exports", "process_", "Performance", "readFile", "load",
  "window", "self", "python", "__import__", "fetch", "SharedArrayBuffer", "console_", "gc", "quit", "exit"];
for (var i = 0; i < names.length; i++) if (G[names[i]] !== undefined) found.push(names[i]);
var tries = ["os", "fs", "child_process", "/etc/passwd", "../../../../etc/passwd", "http://127.0.0.1:9/x", "\0", "duktape"];
for (i = 0; i < tries.length; i++) {
  try { require(tries[i]); found.push(tries[i]); } catch (e) {}
}
var keys = Object.getOwnPropertyNames(G);
for (i = 0; i < keys.length; i++) if (/^_|:|llmspell|host|guest|duk/i.test(keys[i])) found.push(keys[i]);
var again = Tool.execute.constructor("return this")();
if (again.Duktape || again.CBOR || Object.getPrototypeOf(Tool.execute).constructor("return Duktape || 1") === 1) found.push("again");
return found.length === 0 ? "contained" : "reached " + found;
