-- expect: script.wall_limit | script.cpu_limit
-- limits: wall_s = 0.6
local kept = {}
for i = 1, 3e5 do kept[i] = { i } end
while true do collectgarbage() end
