-- expect: script.wall_limit | script.cpu_limit
-- limits: wall_s = 0.6
return ("("):rep(1e6):match("^.-%b().-$")
