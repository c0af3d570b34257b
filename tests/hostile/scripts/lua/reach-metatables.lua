-- expect: ok
-- No metatable of the host's can be had, none of them changed.
local agent = Agent.new{ name = "a", system_prompt = "x" }
local result = Tool.execute("calculator", { input = "1 + 1" })
local _, e = pcall(Tool.execute, "calculator", { input = "1 +" })
local task = Async.spawn(function() end)
local things = { agent, result, e, task, Async.queue(), Async.promise(function() end), JSON.null, JSON.array{}, io.stdout,
  io.stdin, Agent, Tool, JSON, Logger.new("x"), Logger.new("x"):timer("t"), Agent.builder(), Tool.list()[1], print,
  coroutine.create(print), Tool.execute, agent.execute }
for i, thing in ipairs(things) do
  local meta = getmetatable(thing)
  assert(not meta, i .. ": " .. tostring(meta))
  assert(type(thing) ~= "userdata")
end
-- The own finalizer of a later result would run where nothing counts it.
assert(not pcall(setmetatable, agent, { __gc = print }))
assert(not pcall(setmetatable, {}, { __gc = print }))
assert(not pcall(setmetatable, {}, { __gc = false }))
return "contained"
