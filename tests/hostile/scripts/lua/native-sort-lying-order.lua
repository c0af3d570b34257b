-- expect: ok
-- Comparators that contradict themselves: an error or any order, but an end.
for _ = 1, 50 do
  local t = {}
  for i = 1, 500 do t[i] = i % 7 end
  pcall(table.sort, t, function() return math.random() < 0.5 end)
  pcall(table.sort, t, function() return true end)
  local meta = { __lt = function() return true end }
  for i = 1, 100 do t[i] = setmetatable({}, meta) end
  pcall(table.sort, { table.unpack(t, 1, 100) })
end
return "contained"
