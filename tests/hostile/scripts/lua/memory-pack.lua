-- expect: script.memory_limit
local t = {}
while true do t[#t + 1] = string.pack("z", ("x"):rep(2 ^ 20)) end
