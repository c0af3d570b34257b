-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
Tool.register(Tool.create{ name = "stays", description = "d", execute = function() while true do end end })
pcall(Tool.execute, "stays", {})
while true do end
