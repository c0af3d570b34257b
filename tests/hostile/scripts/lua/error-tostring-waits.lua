-- expect: script.error
error(setmetatable({}, { __tostring = function() Async.sleep(1e6) end }))
