-- expect: script.wall_limit
-- limits: wall_s = 0.6
Hook.register("before_tool_execution", { handler = function() Async.sleep(1e9) end, timeout_ms = 1e9 })
Tool.execute("calculator", { input = "1 + 1" })
