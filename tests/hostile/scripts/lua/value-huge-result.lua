-- expect: limit.value_size | script.wall_limit
return ("x"):rep(2 ^ 24 + 1)
