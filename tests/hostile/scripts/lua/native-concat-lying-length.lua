-- expect: script.wall_limit | script.cpu_limit
-- limits: wall_s = 0.6
local lies = setmetatable({}, { __len = function() return 2 ^ 40 // 1 end, __index = function() return "" end })
return #table.concat(lies)
