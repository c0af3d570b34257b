// expect: ok
// What awaits a promise of the language does not ask for `then`, nor for `constructor`.
const own = Promise.prototype.then;
let asked = 0;
Promise.prototype.then = function (...args) {
  asked++;
  return Reflect.apply(own, this, args);
};
const evil = { [Symbol.species]: function (run) { run(() => {}, () => {}); return {}; } };
for (const trick of [
  () => { Promise.prototype.constructor = evil; }, () => { Promise[Symbol.species] = evil[Symbol.species]; },
  () => Object.defineProperty(Promise, Symbol.species, { value: evil[Symbol.species] }),
  () => Object.defineProperty(Promise.prototype, "constructor", { value: evil }),
]) {
  try { trick(); } catch {}
}
await Async.timeout(1000, async () => 1);
await Async.all([Async.sleep(1), Async.sleep(1)]);
await Tool.execute("calculator", { input: "1 + 1" });
const own1 = Object.assign(Async.sleep(1), {});
own1.constructor = evil;
const task = Async.spawn(async () => 7);
task.constructor = { get [Symbol.species]() { throw "species"; } };
const [, seven] = await Async.all([own1, task]);
return seven === 7 && asked < 100 ? "contained" : "asked " + asked;
