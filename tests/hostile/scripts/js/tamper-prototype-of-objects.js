// expect: ok
// Fields that every object has now must not be taken for those of arguments, options or results.
const { execute } = Tool, { defineProperty } = Object;
const words = {
  value: 1, get: 1, set: 1, writable: false, enumerable: true, configurable: true, then: 1, toJSON: 1,
  code: "script.exit", message: "polluted", details: { code: 3 }, hint: 1, source: "nowhere",
  success: true, output: 13, result: 13, error: 1, $h: 1, $f: 1, $e: {}, concurrency: -1, type: "cancel",
  origin: 1, scope: null, task: null, length: 5, next: 1, name: "other", max_attempts: 1e9,
};
for (const name of Object.keys(words)) {
  defineProperty(Object.prototype, name, { __proto__: null, value: words[name], configurable: true, enumerable: true, writable: true });
}
const wrong = [];
let result = await execute("calculator", { input: "6 * 7" });
if (result.output !== 42) wrong.push("output");
try {
  await execute("no-such-tool", {});
  wrong.push("no error");
} catch (error) {
  if (error.code === "script.exit") wrong.push("code");
}
const task = Async.spawn(async () => 5);
if ((await task) !== 5) wrong.push("task");
if ((await Async.all({ a: async () => 1 })).a !== 1) wrong.push("all");
for (const name of Object.keys(words)) delete Object.prototype[name];
return wrong.length === 0 ? "contained" : "polluted: " + wrong;
