-- expect: script.error
local meta = {}
local t = setmetatable({}, meta)
meta.__index, meta.__newindex = t, t
return t.x
