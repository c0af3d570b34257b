-- expect: script.error | limit.value_size | input.invalid
local t = {}
for i = 1, 1e5 do t[i] = i end
State.set(table.unpack(t))
