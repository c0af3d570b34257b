// expect: ok
let calls = 0;
await Hook.register("after_tool_execution", () => { calls++; return { type: "retry", delay_ms: 0 }; });
await Hook.register("tool_error", () => { calls++; return { type: "retry", delay_ms: 0 }; });
const results = await Async.all_settled([
  () => Tool.execute("calculator", { input: "1" }), () => Tool.execute("calculator", { input: "1 +" }),
]);
return results.length === 2 && calls < 1000 ? "contained" : calls + " calls";
