-- expect: script.wall_limit | script.cpu_limit
-- limits: wall_s = 1
return ("("):rep(1e6):match("^.-%b().-$")
