-- expect: script.cpu_limit | script.wall_limit | script.memory_limit
-- limits: cpu_s = 0.3
-- A hundred at a time go to the host: they must not be more than it reads at once.
local big = ("x"):rep(9e5)
while true do Logger.warn(big, { big = big }) end
