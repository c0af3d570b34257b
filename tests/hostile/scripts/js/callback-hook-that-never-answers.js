// expect: ok
// Its time is over, and the call goes on without it.
await Hook.register("before_tool_execution", { handler: () => new Promise(() => {}), timeout_ms: 100 });
await Hook.register("before_tool_execution", { handler: () => ({ then() {} }), timeout_ms: 100 });
const { output } = await Tool.execute("calculator", { input: "6 * 7" });
return output === 42 ? "contained" : output;
