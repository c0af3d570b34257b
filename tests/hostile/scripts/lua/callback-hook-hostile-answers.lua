-- expect: ok
-- Whatever a hook gives back, the call goes on or fails.
local cyclic = {}
cyclic.data = cyclic
local answers = { cyclic, 0 / 0, ("x"):rep(1e5), print, { type = "modified", data = cyclic }, { type = ("x"):rep(1e5) },
  { type = "redirect", target = "no-such-tool" }, { type = "redirect", target = {} }, { type = "retry", delay_ms = -1 },
  { type = "replace", result = { print } }, { type = "cancel", reason = { {} } }, setmetatable({}, { __index = error }) }
for i = 1, #answers do
  local handle = Hook.register("before_tool_execution", function() return answers[i] end)
  pcall(Tool.execute, "calculator", { input = "1 + 1" })
  handle:unregister()
end
assert(Tool.execute("calculator", { input = "1 + 1" }).output == 2)
return "contained"
