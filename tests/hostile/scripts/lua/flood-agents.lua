-- expect: script.wall_limit | script.host_calls_limit | limit.held_size
-- limits: wall_s = 1
for i = 1, 1e9 do Agent.new{ name = "agent" .. i, system_prompt = ("x"):rep(10000) } end
