-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
Hook.register("before_tool_execution", function() while true do end end)
Tool.execute("calculator", { input = "1 + 1" })
while true do end
