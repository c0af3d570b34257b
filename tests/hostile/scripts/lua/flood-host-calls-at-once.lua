-- expect: script.host_calls_limit | limit.tasks
-- limits: host_calls = 500
for _ = 1, 90 do
  Async.spawn(function() while true do pcall(Tool.execute, "calculator", { input = "1 + 1" }) end end)
end
