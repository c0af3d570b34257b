-- expect: script.cpu_limit | script.memory_limit
-- limits: cpu_s = 0.2
-- It is also where the script is while it computes.
load("while true do end", "@" .. ("n"):rep(2 ^ 23))()
