-- expect: script.memory_limit
-- limits: memory_mb = 24
local s = ("x"):rep(1e5)
return #s:gsub(".", function() return s end)
