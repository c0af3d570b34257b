-- expect: script.error | script.memory_limit
error(("\xff"):rep(2 ^ 22))
