-- expect: script.wall_limit | script.host_calls_limit | limit.state_size
-- limits: wall_s = 1
for i = 1, 1e9 do State.set("k" .. i, ("x"):rep(9e5)) end
