// expect: ok
Hook.register("before_tool_execution", function (ctx) {
  return { type: "redirect", target: ctx.tool === "calculator" ? "hash-calculator" : "calculator" };
});
try {
  Tool.execute("calculator", { input: "1" });
} catch (e) {
  return e.code === "hook.redirects" ? "contained" : String(e);
}
