-- expect: script.memory_limit
-- limits: memory_mb = 24
local t = {}
for i = 1, 1e9 do
  t[i] = coroutine.create(print)
  coroutine.resume(t[i])
end
