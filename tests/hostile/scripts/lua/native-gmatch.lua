-- expect: script.wall_limit | script.cpu_limit
-- limits: wall_s = 0.6
for _ in ("a"):rep(1e5):gmatch(("a?"):rep(30) .. ("a*"):rep(20) .. "b") do end
