-- expect: limit.subscriptions | script.wall_limit
for i = 1, 1e9 do Event.subscribe("topic." .. i) end
