-- expect: ok
local cyclic = {}
cyclic[1] = cyclic
local results = { cyclic, 0 / 0, print, ("x"):rep(2 ^ 20), coroutine.create(print), { [{}] = 1 }, { success = cyclic },
  setmetatable({}, { __tostring = error }) }
local at
Tool.register(Tool.create{ name = "gives", description = "d", execute = function() return results[at] end })
Tool.register(Tool.create{ name = "throws", description = "d", execute = function() error(results[at]) end })
for i = 1, #results do
  at = i
  pcall(Tool.execute, "gives", {})
  assert(not pcall(Tool.execute, "throws", {}))
end
return "contained"
