-- expect: script.wall_limit | script.cpu_limit
-- limits: wall_s = 0.6
local s = (" "):rep(1e7) .. "1"
while true do tonumber(s) end
