-- expect: script.memory_limit
-- limits: memory_mb = 24
local q = Async.queue()
local n = 0
while true do
  n = n + 1
  q:push(("x"):rep(10000) .. n)
end
