-- expect: ok
-- Coroutines of tasks are no secret: to resume or close one breaks only what is the script's.
local main, other = coroutine.running(), nil
local task = Async.spawn(function()
  other = coroutine.running()
  coroutine.yield()
  Async.sleep(5)
  return "done"
end)
Async.yield()
pcall(coroutine.resume, other)
pcall(coroutine.close, other)
pcall(coroutine.resume, main)
pcall(coroutine.close, main)
pcall(coroutine.wrap(function() return coroutine.resume(main) end))
pcall(task.await, task)
Async.spawn(function() pcall(coroutine.resume, main) pcall(coroutine.close, main) end)
Async.sleep(5)
for key, value in next, task do assert(type(key) ~= "string" or value == nil, key) end
return "contained"
