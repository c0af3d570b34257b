-- expect: script.memory_limit
return #JSON.parse("[" .. ("{},"):rep(1.5e6) .. "1]")
