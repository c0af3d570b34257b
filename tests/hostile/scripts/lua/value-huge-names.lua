-- expect: ok
local huge = ("n"):rep(2e5)
for _, call in ipairs{
  function() State.set(huge, 1) State.delete(huge) end,
  function() Event.publish(huge, {}) end,
  function() Event.subscribe(huge) end,
  function() Hook.register(huge, print) end,
  function() Tool.get(huge) end,
  function() Tool.execute(huge, {}) end,
  function() Agent.new{ [huge] = 1 } end,
  function() Agent.new(huge) end,
  function() Workflow[huge]() end,
  function() Tool[huge]() end,
  function() Config.get(huge) end,
  function() Tool.execute("calculator", { [huge] = huge }) end,
} do
  local ok, e = pcall(call)
  assert(ok or #tostring(e) < 2e6)
end
return "contained"
