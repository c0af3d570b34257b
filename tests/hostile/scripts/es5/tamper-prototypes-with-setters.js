// expect: ok
var seen = [], i, execute = Tool.execute, all = Async.all;
function trap(owner, name) {
  Object.defineProperty(owner, name, {
    set: function () { seen[seen.length] = name; }, get: function () { return undefined; }, configurable: true,
  });
}
var words = ["resolve", "fn", "task", "run", "promise", "hint", "number", "answer", "then", "code"];
for (i = 0; i < words.length; i++) trap(Object.prototype, words[i]);
for (i = 0; i < 5; i++) trap(Array.prototype, i);
var results = all([function () { return execute("calculator", { input: "1 + 1" }).output; }, function () { return 2; }]);
try { execute("nothing", {}); } catch (e) {}
console.log({ x: [1, 2] });
Logger.info("text", { b: 1 });
for (i = 0; i < words.length; i++) delete Object.prototype[words[i]];
for (i = 0; i < 5; i++) delete Array.prototype[i];
return seen.length === 0 && results.length === 2 ? "contained" : "seen: " + seen.slice(0, 5);
