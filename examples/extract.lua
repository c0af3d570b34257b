#!/usr/bin/env llmspell
-- extract.lua: text in, JSON out; the answer has to match a schema
--   echo "ship the parcel to Oslo by friday" | llmspell examples/extract.lua
local agent = Agent.new{
  system_prompt = "Extract what the text says, as JSON.",
  response_format = {
    type = "object",
    properties = {
      item = { type = "string" },
      city = { type = "string" },
      deadline = { type = "string" },
    },
    required = { "item", "city", "deadline" },
  },
}
return agent:execute(stdin.text()).data
