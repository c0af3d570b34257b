-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
local function stay()
  local x <close> = setmetatable({}, { __close = function() while true do end end })
  while true do end
end
pcall(stay)
