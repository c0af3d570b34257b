-- expect: script.error
local meta = {}
local t = setmetatable({}, meta)
meta.__tostring = function() return tostring(t) end
return tostring(t)
