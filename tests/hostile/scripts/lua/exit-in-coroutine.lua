-- expect: ok
-- output: before
print("before")
local co = coroutine.wrap(function() os.exit(true, true) end)
pcall(co)
while true do pcall(print, "after") end
