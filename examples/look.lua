#!/usr/bin/env llmspell
-- look.lua: what is on a picture; a model without eyes says which ones have them
--   llmspell examples/look.lua picture.png
local agent = Agent.new{ system_prompt = "Say in one sentence what the attachment shows." }
local ok, out = pcall(function()
  return agent:execute{ text = "What is this?", attachments = { args[1] or "picture.png" } }
end)
if not ok then
  print(out.code, out.message)
  return
end
print(out.text)
for _, part in ipairs(out.artifacts or {}) do
  print("drawn", part.media_type, #part.data)
end
