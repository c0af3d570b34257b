-- expect: input.invalid
-- The object of the host, with fields of the script's.
local _, e = pcall(Tool.execute, "calculator", { input = "1 +" })
e.message = setmetatable({}, { __tostring = function() while true do end end })
e.details = e
e.stack, e.source, e.code = ("x"):rep(1e6), ("y"):rep(1e6), "input.invalid"
error(e)
