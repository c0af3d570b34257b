-- expect: script.memory_limit
-- limits: memory_mb = 24
local last
for i = 1, 1e9 do
  local before = last
  last = function() return before, i end
end
