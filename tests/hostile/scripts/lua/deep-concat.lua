-- expect: script.error
local meta = {}
meta.__concat = function(a, b) return a .. b end
return setmetatable({}, meta) .. "x"
