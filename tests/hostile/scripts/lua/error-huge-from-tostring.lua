-- expect: script.error | script.memory_limit
error(setmetatable({}, { __tostring = function() return ("x"):rep(2 ^ 22) end }))
