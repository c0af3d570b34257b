-- expect: script.cpu_limit | script.wall_limit
while true do Logger.error(("x"):rep(1000), { a = 1 }) end
