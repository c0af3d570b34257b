-- expect: script.memory_limit
-- limits: memory_mb = 24
local t = setmetatable({}, { __mode = "k" })
local name = ("k"):rep(1000)
for i = 1, 1e9 do t[name .. i] = i end
