#!/usr/bin/env llmspell
-- hooks_events.lua: look into what runs, change it, and hear of it
local calls = 0
Hook.register("before_tool_execution", function(ctx)
  calls = calls + 1
  if ctx.tool == "calculator" then
    -- what is returned changes the call: every calculation is rounded
    ctx.arguments.precision = 2
    return { type = "modified", data = { arguments = ctx.arguments } }
  end
end)

-- a guard decides: when it fails or says no, the call is refused
Hook.register("before_tool_execution", {
  guard = true,
  priority = "highest",
  handler = function(ctx)
    if ctx.tool == "hash-calculator" and ctx.arguments.algorithm == "md5" then
      return { type = "cancel", reason = "md5 is not safe" }
    end
  end,
})

local seen = Event.subscribe("tool.*")
print(Tool.execute("calculator", { input = "10 / 3" }).output)
print(pcall(Tool.execute, "hash-calculator", { input = "x", algorithm = "md5" }))

local event = Event.receive(seen, 100)
while event do
  print(event.type, event.data.name)
  event = Event.receive(seen, 0)
end
print("hooks saw", calls)
