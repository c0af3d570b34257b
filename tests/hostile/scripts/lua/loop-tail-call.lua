-- expect: script.cpu_limit
-- limits: cpu_s = 0.3
local function f() return f() end
f()
