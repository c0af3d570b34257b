-- expect: script.cpu_limit | script.wall_limit
-- limits: cpu_s = 0.2
local source = "local x = 0 " .. ("x = x + 1 "):rep(1e5)
while true do load(source) end
