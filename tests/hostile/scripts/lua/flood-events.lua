-- expect: script.wall_limit | script.host_calls_limit | script.cpu_limit
local id = Event.subscribe("flood")
local data = { text = ("x"):rep(1e5) }
while true do Event.publish("flood", data) end
