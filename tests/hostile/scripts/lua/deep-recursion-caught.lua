-- expect: script.cpu_limit | script.wall_limit
-- limits: cpu_s = 0.2
local function f() return pcall(f) or f() end
while true do pcall(f) end
