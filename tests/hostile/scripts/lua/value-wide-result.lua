-- expect: limit.value_size | script.memory_limit | script.wall_limit
local t = { ("x"):rep(10000) }
for _ = 1, 24 do t = { t, t } end
return t
