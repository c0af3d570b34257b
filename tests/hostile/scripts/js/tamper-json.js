// expect: ok
const parse = JSON.parse, stringify = JSON.stringify;
JSON.parse = JSON.stringify = JSON.encode = JSON.decode = () => { for (;;); };
JSON[Symbol.toStringTag] = "Evil";
Array.prototype.toJSON = Object.prototype.toJSON = String.prototype.toJSON = () => ({ $h: 1 });
Number.prototype.toJSON = Boolean.prototype.toJSON = () => { for (;;); };
let sum;
try {
  sum = (await Tool.execute("calculator", { input: "6 * 7" })).output;
} catch (error) {
  // The arguments are what their `toJSON` says: wrong, but only for the script itself.
  sum = error.code;
}
delete Object.prototype.toJSON;
const { output } = await Tool.execute("calculator", { input: "6 * 7" });
return output === 42 && sum !== undefined ? "contained" : sum;
