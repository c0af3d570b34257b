-- expect: script.memory_limit
local t = {}
for i = 1, 1e9 do
  t[i] = coroutine.create(print)
  coroutine.resume(t[i])
end
