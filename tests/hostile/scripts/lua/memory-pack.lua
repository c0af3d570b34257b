-- expect: script.memory_limit
-- limits: memory_mb = 24
local t = {}
while true do t[#t + 1] = string.pack("z", ("x"):rep(2 ^ 20)) end
