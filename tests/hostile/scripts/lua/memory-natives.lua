-- expect: script.cpu_limit | script.wall_limit | script.memory_limit
-- limits: cpu_s = 0.3
-- What Python makes of it in the worker is counted as well.
local big = ("{{x}}"):rep(2e6)
while true do pcall(Utils.template, big, { x = ("y"):rep(1e6) }) end
