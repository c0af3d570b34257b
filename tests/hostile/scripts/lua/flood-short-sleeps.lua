-- expect: script.wall_limit | script.cpu_limit
while true do pcall(Async.sleep, 0) end
