#!/usr/bin/env llmspell
-- classify.lua: a list as the answer, judged by a function, shown while it is written
--   llmspell examples/classify.lua
local labels = { "billing", "shipping", "returns" }
local agent = Agent.new{
  system_prompt = "Which of these is the letter about: billing, shipping, returns?",
  response_format = { type = "array", items = { type = "string", enum = labels }, minItems = 1, maxItems = 3 },
  output_validator = function(value)
    local seen = {}
    for _, label in ipairs(value) do
      if seen[label] then return { retry = "name each label once, not " .. label .. " again" } end
      seen[label] = true
    end
  end,
}
local letter = args[1] or "My parcel came broken. I send it back and want my money."
for chunk in agent:stream(letter) do
  if chunk.type == "output.partial" then print("so far", JSON.stringify(chunk.value)) end
  if chunk.type == "done" then
    print("labels", table.concat(chunk.output.data, " "))
    print("asked", chunk.output.metadata.iterations)
  end
end
