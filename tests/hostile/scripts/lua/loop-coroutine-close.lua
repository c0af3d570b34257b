-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
-- Closing a coroutine runs what it left to be closed.
local co = coroutine.create(function()
  local x <close> = setmetatable({}, { __close = function() while true do end end })
  coroutine.yield()
end)
coroutine.resume(co)
pcall(coroutine.close, co)
while true do end
