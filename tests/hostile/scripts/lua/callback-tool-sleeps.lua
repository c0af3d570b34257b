-- expect: script.wall_limit
-- limits: wall_s = 0.6
Tool.register(Tool.create{ name = "sleeps", description = "d", timeout_ms = 1e8, execute = function() Async.sleep(1e8) end })
Tool.execute("sleeps", {})
