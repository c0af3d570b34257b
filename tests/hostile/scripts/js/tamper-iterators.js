// expect: ok
// Spreading, destructuring and for-of ask the script now; the prelude does without.
const fail = () => ({ next() { for (;;); } });
const { execute } = Tool, sleep = Async.sleep, { all } = Async;
const own = Array.prototype[Symbol.iterator];
Array.prototype[Symbol.iterator] = fail;
String.prototype[Symbol.iterator] = fail;
Map.prototype[Symbol.iterator] = Set.prototype[Symbol.iterator] = fail;
Object.getPrototypeOf(Object.getPrototypeOf(Reflect.apply(own, [], []))).next = () => { for (;;); };
Object.getPrototypeOf(Reflect.apply(own, [], [])).next = () => { for (;;); };
await sleep(1);
console.log("%s", { a: [1, "b"] }, new Map());
Logger.warn("x", { a: 1 });
const results = await all([() => execute("calculator", { input: "6 * 7" })]);
return results[0].output === 42 ? "contained" : "no answer";
