#!/usr/bin/env llmspell
-- tool_errors.lua: an agent decides itself what its model is told of a call that went wrong
local clerk = Agent.new{
  name = "clerk",
  system_prompt = "You know the stock.",
  tools = {
    {
      name = "stock",
      description = "How many pieces of an item are in the store",
      parameters = { item = "string" },
      execute = function() error("the drawer is stuck") end,
    },
  },
  on_tool_error = function(_, call)
    print("  (" .. call.name .. " of " .. call.arguments.item .. " failed)")
    return "7, as of yesterday"
  end,
  limits = { requests = 5, per_tool = { stock = 2 } },
}

local answer = clerk:execute("How many kettles do we have?")
print(answer.text, answer.tool_calls[1].result)
