-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
-- Lua and lupa look for some names in the globals by themselves.
local function spin() while true do end end
setmetatable(_G, { __index = function() spin() end, __newindex = function() spin() end, __gc2 = spin })
debug, package, python = nil, nil, nil
