// expect: ok
RegExp.prototype.exec = () => { for (;;); };
RegExp.prototype[Symbol.replace] = RegExp.prototype[Symbol.split] = () => { for (;;); };
RegExp.prototype.test = () => { for (;;); };
Object.defineProperty(RegExp.prototype, "flags", { get() { for (;;); } });
Object.defineProperty(RegExp.prototype, "lastIndex", { get: () => 1e9, set() { for (;;); } });
String.prototype.replace = String.prototype.split = String.prototype.slice = () => { for (;;); };
console.log("%s %j", "a", { b: /c/g }, [new Date(0)]);
try {
  null.x;
} catch (error) {
  console.error(error);
}
try {
  await Tool.execute("calculatr", {});
} catch (error) {
  return typeof error.hint === "string" || error.code ? "contained" : error;
}
