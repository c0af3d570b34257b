// expect: script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
await Hook.register("before_tool_execution", () => { for (;;); });
await Tool.execute("calculator", { input: "1" });
