-- expect: script.memory_limit
-- limits: memory_mb = 24
local kept = {}
while true do
  pcall(function()
    for i = 1, 1e9 do kept[#kept + 1] = ("x"):rep(1000) .. i end
  end)
end
