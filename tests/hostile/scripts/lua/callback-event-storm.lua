-- expect: script.wall_limit | script.host_calls_limit | script.cpu_limit
-- limits: wall_s = 1
-- Each event makes two more.
Event.subscribe("storm.*", function(e)
  Event.publish("storm.a", e.data)
  Event.publish("storm.b", e.data)
end)
Event.publish("storm.a", { text = ("x"):rep(1000) })
Async.sleep(1e9)
