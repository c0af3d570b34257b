-- expect: limit.value_depth
local t = {}
for _ = 1, 1e5 do t = { a = t } end
return t
