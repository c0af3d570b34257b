-- expect: ok
-- output: before
print("before")
pcall(function()
  local x <close> = setmetatable({}, { __close = function() print("closing") end })
  pcall(os.exit, 3)
  print("after")
end)
xpcall(os.exit, function() print("handler") while true do end end, true)
while true do end
