-- expect: script.memory_limit | limit.value_size | script.wall_limit
-- limits: memory_mb = 24
-- One table many times over: small in memory, without end as text.
local t = { "x" }
local wide = ("x"):rep(1e6)
for _ = 1, 25 do t = { a = t, b = t, c = wide } end
return #JSON.stringify(t)
