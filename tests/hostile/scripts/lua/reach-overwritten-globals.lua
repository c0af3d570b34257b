-- expect: ok
local set = setmetatable
for name in next, _G do
  if name ~= "_G" and name ~= "Tool" and name ~= "Async" then _G[name] = nil end
end
set(_G, { __index = function() return function() while true do end end end, __newindex = function() end })
local value = Tool.execute("calculator", { input = "6 * 7" }).output
local both = Async.all{ function() Async.sleep(1) return value end, function() return 1 end }
return both[1] == 42 and "contained" or "not right"
