#!/usr/bin/env llmspell
-- fallback.lua: another model answers when the first one fails, also in the middle of an answer
local writer = Agent.new{
  name = "writer",
  model = "front/large",
  fallback_models = { "back/small" },
  retry = { max_attempts = 2, backoff_ms = 10 },
}

Event.subscribe("llm.fallback", function(event)
  print("  (" .. event.data.model .. " failed, asking " .. event.data.to .. ")")
end)

local text = ""
for chunk in writer:stream("Name the kettle") do
  if chunk.type == "restart" then text = "" end -- what came so far is void
  if chunk.type == "text" then text = text .. chunk.text end
end
print("writer: " .. text)
