-- expect: script.wall_limit | script.cpu_limit
-- limits: wall_s = 0.6
return ("x"):rep(1e5):find(("x*"):rep(30) .. "y")
