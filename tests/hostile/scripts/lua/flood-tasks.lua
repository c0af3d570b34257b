-- expect: limit.tasks
-- limits: tasks = 50
for _ = 1, 1e6 do Async.spawn(function() Async.sleep(1e6) end) end
