// expect: ok
// Walks from whatever is called back to whoever called it.
const found = [];
function walk() {
  for (const start of [() => walk.caller, () => arguments.callee, () => arguments.callee.caller]) {
    try {
      let at = start();
      for (let i = 0; at && i < 100; i++) {
        if (!/native code|walk|caller|=>/.test(String(at))) found.push(String(at).slice(0, 60));
        at = at.caller;
      }
    } catch {}
  }
  return 1;
}
const { call } = Function.prototype;
Function.prototype.call = function (...args) { walk(); return Reflect.apply(this, args[0], args.slice(1)); };
Object.defineProperty(Object.prototype, "toJSON", { get() { walk(); return undefined; }, configurable: true });
[2, 1].sort(walk);
"a".replace(/a/, walk);
await State.set("k", { get a() { return walk(); } });
const hook = await Hook.register("before_tool_execution", walk);
await Tool.execute("calculator", { input: "1" });
delete Object.prototype.toJSON;
Function.prototype.call = call;
return found.length === 0 ? "contained" : found.join("\n");
