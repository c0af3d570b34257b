// expect: ok
// To the other, and back: redirects of one call are bounded.
let calls = 0;
await Hook.register("before_tool_execution", (ctx) => {
  calls++;
  return { type: "redirect", target: ctx.tool === "calculator" ? "hash-calculator" : "calculator" };
});
try {
  await Tool.execute("calculator", { input: "1" });
} catch (error) {
  return calls < 100 && error.code === "hook.redirects" ? "contained" : calls + " calls";
}
return "after " + calls + " calls: " + "it ended well";
