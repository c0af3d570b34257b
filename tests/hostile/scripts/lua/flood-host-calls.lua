-- expect: script.host_calls_limit
-- limits: host_calls = 200
while true do pcall(State.get, "k") end
