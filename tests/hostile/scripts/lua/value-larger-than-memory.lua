-- expect: script.memory_limit
return { ("x"):rep(3e7) .. 1, ("x"):rep(3e7) }
