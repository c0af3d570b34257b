-- expect: script.wall_limit | script.cpu_limit
-- limits: wall_s = 0.6
return ("a"):rep(4e4):gsub((".-"):rep(20) .. "b", "")
