-- expect: script.memory_limit
-- limits: memory_mb = 20
return #JSON.parse("[" .. ("{},"):rep(1.5e6) .. "1]")
