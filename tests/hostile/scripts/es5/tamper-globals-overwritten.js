// expect: ok
var execute = Tool.execute, sleep = Async.sleep, get = State.get, set = State.set;
var names = Object.getOwnPropertyNames, define = Object.defineProperty, G = this || globalThis;
var owners = [
  Array.prototype, String.prototype, RegExp.prototype, Error.prototype, JSON, Math, Reflect, Number.prototype,
  Date.prototype, Function.prototype, Symbol.prototype, Uint8Array.prototype, Object.prototype, Object, Array, G,
];
function fail() { throw "overwritten"; }
for (var i = 0; i < owners.length; i++) {
  var all = names(owners[i]);
  for (var j = 0; j < all.length; j++) {
    try { define(owners[i], all[j], { value: fail, configurable: true, writable: true }); } catch (e) {}
  }
}
sleep(1);
var sum = execute("calculator", { input: "6 * 7" }).output;
set("key", { a: [1, 2] });
return sum === 42 && get("key").a[1] === 2 ? "contained" : "it gave " + sum;
