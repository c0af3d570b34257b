-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
local meta = {}
meta.__index = function(_, k) return k end
meta.__lt = function() while true do end end
local a, b = setmetatable({}, meta), setmetatable({}, meta)
pcall(function() return a < b end)
while true do pcall(table.sort, { a, b, a }) end
