-- expect: script.wall_limit | script.cpu_limit
-- limits: wall_s = 0.6
local t = setmetatable({}, { __len = function() return 2 ^ 50 // 1 end, __newindex = function() end })
table.insert(t, 1, 0)
