-- expect: script.wall_limit
while true do Async.sleep(1e9) end
