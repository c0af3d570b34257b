// expect: ok
// What the prelude writes into lists and objects must not arrive in setters of the script.
const seen = [];
const trap = (owner, name) => Object.defineProperty(owner, name, {
  set(value) { seen.push([name, typeof value]); }, get: () => undefined, configurable: true,
});
for (let i = 0; i < 8; i++) trap(Array.prototype, i);
const words = ["resolve", "reject", "fn", "sent", "entry", "scope", "run", "promise", "hint", "a"];
for (const word of words) trap(Object.prototype, word);
const { execute } = Tool, { all } = Async;
const results = await all([() => execute("calculator", { input: "1 + 1" }), async () => 2]);
await execute("nothing", {}).catch((error) => error.stack);
console.log({ x: [1, 2] }, [3]);
Logger.info("text", { b: 1 });
for (let i = 0; i < 8; i++) delete Array.prototype[i];
for (const word of words) delete Object.prototype[word];
return seen.length === 0 ? "contained" : "seen: " + JSON.stringify(seen.slice(0, 5));
