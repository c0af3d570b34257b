-- expect: script.wall_limit | script.cpu_limit
-- limits: wall_s = 0.6
-- Nothing, so many times that counting them takes for ever.
return ("").rep("", math.maxinteger)
