-- expect: script.wall_limit | script.cpu_limit
-- limits: wall_s = 0.6
local s = ("x"):rep(2 ^ 19)
while true do Utils.hash(s, "sha3_512") end
