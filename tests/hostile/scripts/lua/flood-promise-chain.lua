-- expect: script.cpu_limit | script.memory_limit | script.error
-- limits: cpu_s = 0.2
-- A chain so long that settling it by recursion would end the engine.
local first = Async.spawn(function() Async.sleep(1) end)
local last = first
for _ = 1, 1.2e5 do last = last:next() end
last:await()
error("settled")
