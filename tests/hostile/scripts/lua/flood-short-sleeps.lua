-- expect: script.wall_limit | script.cpu_limit
-- limits: wall_s = 1
while true do pcall(Async.sleep, 0) end
