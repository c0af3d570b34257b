-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
for _ = 1, 50 do Async.spawn(function() while true do Async.yield() end end) end
