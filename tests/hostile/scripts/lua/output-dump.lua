-- expect: script.memory_limit | script.cpu_limit | script.wall_limit
-- limits: cpu_s = 0.3
local t = {}
for i = 1, 300 do t[i] = t end
local deep = {}
for i = 1, 8 do deep = { deep, deep, deep, deep, deep, deep, deep, deep, deep, deep } end
return #Debug.dump(t) + #Debug.dump(deep)
