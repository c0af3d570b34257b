// expect: script.wall_limit
// limits: wall_s = 0.5
await Hook.register("before_tool_execution", () => new Promise(() => {}));
await Tool.execute("calculator", { input: "1" });
return "contained";
