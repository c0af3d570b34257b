-- expect: script.error | script.memory_limit
error(("x"):rep(2 ^ 22))
