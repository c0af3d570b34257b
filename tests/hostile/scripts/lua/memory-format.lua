-- expect: script.memory_limit
local big = ("x"):rep(2 ^ 22)
local format, args = ("%s"):rep(200), {}
for i = 1, 200 do args[i] = big end
return #string.format(format, table.unpack(args))
