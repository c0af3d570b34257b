// expect: script.cpu_limit | script.wall_limit
await Hook.register("before_tool_execution", () => { for (;;); });
await Tool.execute("calculator", { input: "1" });
