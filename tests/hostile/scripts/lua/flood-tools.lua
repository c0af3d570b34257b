-- expect: script.wall_limit | script.host_calls_limit | limit.held_size
-- limits: wall_s = 1
for i = 1, 1e9 do
  Tool.register(Tool.create{ name = "t" .. i, description = ("d"):rep(10000), execute = print })
end
