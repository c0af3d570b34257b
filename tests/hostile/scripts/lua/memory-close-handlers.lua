-- expect: script.memory_limit
-- limits: memory_mb = 24
local kept = {}
local function again()
  local x <close> = setmetatable({}, { __close = again })
  for _ = 1, 1e9 do kept[#kept + 1] = ("y"):rep(1e5) .. #kept end
end
while true do pcall(again) end
