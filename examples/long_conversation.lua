#!/usr/bin/env llmspell
-- long_conversation.lua: a chat that outgrows its model's window goes on with a summary of its beginning
local guide = Agent.new{
  name = "guide",
  system_prompt = "You plan a walk through the city. Remember what was agreed.",
  context = { threshold = 0.8, target = 0.5, keep_turns = 2 },
}

Event.subscribe("agent.compacted", function(event)
  local data = event.data
  print("  (" .. table.concat(data.steps, ", ") .. ": " .. data.before_messages .. " messages became "
    .. data.after_messages .. ")")
end)

local places = { "the harbour", "the old town", "the museum", "the park", "the tower" }
for _, place in ipairs(places) do
  guide:chat("Tell me all about " .. place)
  print("heard about " .. place)
end
print("last: " .. guide:chat("Where did we begin?"))
print(#guide:history() .. " messages are kept")
