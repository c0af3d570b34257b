-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
local function f() return f() end
f()
