-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
-- Finalizers run where nothing is counted: none of the script's may, by whichever way.
local function spin() while true do end end
local metas = {}
for _, input in ipairs{ "1 + 1", "2 + 2" } do
  metas[#metas + 1] = getmetatable(Tool.execute("calculator", { input = input }))
end
metas[#metas + 1] = getmetatable(State.get("none", { 1 }))
for _, meta in ipairs(metas) do
  if type(meta) == "table" then
    rawset(meta, "__gc", spin)
    rawset(meta, "__mode", "kv")
  end
end
local own = { __index = function() end }
setmetatable({}, own)
own.__gc = spin
pcall(setmetatable, {}, own)
for _ = 1, 10 do Tool.execute("calculator", { input = "3 + 3" }) end
collectgarbage()
spin()
