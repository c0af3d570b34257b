-- expect: script.wall_limit | script.cpu_limit
-- limits: wall_s = 0.6
local t = setmetatable({}, { __newindex = function() end, __index = {} })
table.move(t, 1, 2 ^ 50 // 1, 2 ^ 51 // 1)
