-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
Event.subscribe("**", function() while true do end end)
Event.publish("anything", {})
Async.sleep(10)
while true do end
