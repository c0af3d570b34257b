-- expect: value.cycle
local t = { 1 }
t[2] = { back = t }
return t
