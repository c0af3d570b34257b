-- expect: script.memory_limit
local big, list = ("x"):rep(2 ^ 20), {}
for i = 1, 1000 do list[i] = big end
return #table.concat(list)
