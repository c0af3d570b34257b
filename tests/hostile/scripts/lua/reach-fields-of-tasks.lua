-- expect: ok
-- What the scheduler keeps of tasks and promises is out of reach.
local task = Async.spawn(function() Async.sleep(1) return 1 end)
local promise = Async.promise(function() end)
for _, it in ipairs{ task, promise } do
  assert(next(it) == nil)
  for _, name in ipairs{ "co", "fn", "args", "results", "waiters", "report", "awaits", "wake_error", "origin", "call" } do
    assert(rawget(it, name) == nil, name)
    pcall(function() it[name] = print end)
    rawset(it, name, print)
  end
end
assert(task:await() == 1)
return "contained"
