-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
-- One that failed while it was counted, and has something left to be closed.
local function spin()
  local x <close> = setmetatable({}, { __close = function() while true do end end })
  while true do end
end
while true do pcall(coroutine.wrap(spin)) end
