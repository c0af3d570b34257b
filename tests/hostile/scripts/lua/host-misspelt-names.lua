-- expect: script.error
-- The nearest name is looked for: not where that takes long.
local long = ("agent_new"):rep(2e4)
for _, call in ipairs{ function() Tool.execute(long, {}) end, function() Agent.new{ name = "a", [long] = 1 } end, function() Agent[long]() end,
  function() Hook.register(long, print) end, function() Workflow.get(long) end, function() Agent.get(long) end, function() Agent.new{ model = long .. "/" .. long } end,
  function() Tool.execute("calculator", { [long] = 1 }) end, function() error("global '" .. long .. "')") end, function() Agent.create_from_template("a", long, {}) end } do
  assert(not pcall(call) or true)
end
error("attempt to call a nil value (global '" .. long .. "')")
