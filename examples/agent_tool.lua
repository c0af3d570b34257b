#!/usr/bin/env llmspell
-- agent_tool.lua: an agent that may call a function of this script
local stock = { kettles = 7, teapots = 0 }

local agent = Agent.new{
  system_prompt = "You know the stock of a shop. Use the tool, then answer in one short sentence.",
  tools = {
    {
      name = "stock",
      description = "How many pieces of an item are in the store",
      parameters = { item = "string" },
      execute = function(params)
        local count = stock[params.item:lower()]
        if not count then
          Tool.retry("unknown item; there are: kettles, teapots")
        end
        return { item = params.item, count = count }
      end,
    },
  },
}

local answer = agent:execute("How many kettles do we have?")
print(answer.text)
for _, call in ipairs(answer.tool_calls) do
  print("called", call.name, JSON.stringify(call.arguments), call.error and call.error.message or "ok")
end
print("tokens", answer.metadata.usage.total_tokens)
