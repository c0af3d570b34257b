-- expect: script.memory_limit
local s = ("x"):rep(1e5)
return #s:gsub(".", function() return s end)
