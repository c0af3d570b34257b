-- expect: script.wall_limit | script.cpu_limit | script.error
-- limits: wall_s = 0.6
-- Each step moves all the arguments up by one, a million times.
local t = setmetatable({}, {})
getmetatable(t).__call = t
t()
