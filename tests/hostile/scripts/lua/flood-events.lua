-- expect: script.wall_limit | script.host_calls_limit | script.cpu_limit
-- limits: wall_s = 1
local id = Event.subscribe("flood")
local data = { text = ("x"):rep(1e5) }
while true do Event.publish("flood", data) end
