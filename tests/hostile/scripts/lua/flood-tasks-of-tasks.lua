-- expect: script.cpu_limit | limit.tasks
-- limits: cpu_s = 0.2
local function more()
  Async.spawn(more)
  pcall(Async.spawn, more)
end
more()
