-- expect: script.wall_limit | script.cpu_limit | script.host_calls_limit
-- limits: wall_s = 0.6
-- What comes too often is kept waiting, in the script's own time.
while true do Tool.try("calculator", { input = "1 + 1" }) end
