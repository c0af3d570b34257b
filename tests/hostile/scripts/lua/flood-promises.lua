-- expect: script.cpu_limit | script.memory_limit
-- limits: cpu_s = 0.2
local function again() return Async.promise(function(done) done() end):next(again) end
again()
while true do Async.yield() end
