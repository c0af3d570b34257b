-- expect: limit.tasks
-- limits: tasks = 50
local many = {}
for i = 1, 1000 do many[i] = function() Async.sleep(1e6) end end
Async.all(many)
