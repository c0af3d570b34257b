-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
-- Swallows whatever is thrown, and goes on by every way there is.
local function forever()
  while true do
    pcall(pcall, error, {})
    pcall(coroutine.wrap(function() error("x") end))
    pcall(Async.spawn, function() while true do end end)
    pcall(Async.yield)
  end
end
while true do
  xpcall(forever, forever)
end
