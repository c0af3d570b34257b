-- expect: script.error
error(setmetatable({}, { __tostring = function() return 42 end, __name = ("n"):rep(1e6) }))
