-- expect: script.wall_limit
-- limits: wall_s = 1
while true do Async.sleep(1e9) end
