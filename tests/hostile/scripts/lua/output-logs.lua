-- expect: script.cpu_limit | script.wall_limit
-- limits: cpu_s = 0.3
while true do Logger.error(("x"):rep(1000), { a = 1 }) end
