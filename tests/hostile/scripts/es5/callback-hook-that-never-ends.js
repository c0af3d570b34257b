// expect: script.cpu_limit | script.wall_limit
Hook.register("before_tool_execution", function () { for (;;); });
Tool.execute("calculator", { input: "1" });
