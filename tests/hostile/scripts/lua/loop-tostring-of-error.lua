-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
error(setmetatable({}, { __tostring = function() while true do end end }))
