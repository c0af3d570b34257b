-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
-- What a task keeps for its end is not the script's to put functions into.
local task = Async.spawn(function() Async.sleep(10) end)
rawset(task, "waiters", { function() while true do end end })
pcall(function() task.waiters = { function() while true do end end } end)
task:await()
while true do end
