-- expect: ok
-- Handlers of errors that fail, deeper and deeper.
local function handler(e) error(e) end
assert(not xpcall(error, handler, "x"))
local function deeper(e) return xpcall(error, deeper, e) end
assert(not xpcall(error, deeper, "x"))
assert(not pcall(xpcall, error))
assert(not pcall(xpcall))
return "contained"
