-- expect: script.wall_limit | script.cpu_limit
-- limits: wall_s = 0.6
local s = ("x"):rep(1e7)
while true do s:reverse() end
