-- expect: ok
-- output: before
print("before")
Hook.register("after_script", function() while true do end end)
Async.spawn(function() os.exit({}) end)
Async.spawn(function() while true do Async.yield() end end)
Async.sleep(1e6)
