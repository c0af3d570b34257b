-- expect: ok
-- Neither arguments nor errors of the prelude's own functions show what is its own.
local seen = {}
local spy = setmetatable({}, { __index = function(_, k) seen[#seen + 1] = k end, __newindex = error, __call = function(_, ...) seen[#seen + 1] = select("#", ...) return ... end })
for _, call in ipairs{
  function() Async.all(spy) end, function() Async.retry(spy) end, function() Tool.execute(spy, spy) end,
  function() Agent.new(spy) end, function() for _ in Tool.list(spy) do end end, function() coroutine.wrap(spy)() end,
  function() Logger.info(spy, spy) end, function() string.gsub("x", "x", spy) end, function() Hook.register(spy, spy) end,
  function() load(spy, spy, spy, spy) end, function() Event.publish(spy, spy) end, function() Workflow.sequential(spy) end,
} do pcall(call) end
for _, what in ipairs(seen) do assert(type(what) ~= "userdata" and type(what) ~= "thread") end
return "contained"
