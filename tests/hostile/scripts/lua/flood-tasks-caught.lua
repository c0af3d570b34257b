-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
while true do pcall(Async.spawn, function() Async.sleep(1e6) end) end
