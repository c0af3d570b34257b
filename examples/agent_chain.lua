#!/usr/bin/env llmspell
-- agent_chain.lua: three agents, one after the other; a filter decides what each learns of the customer
local shipping = Agent.new{
  name = "shipping",
  description = "Sends a parcel",
  system_prompt = "Say in one sentence what is sent, and to which city.",
}

local packing = Agent.new{
  name = "packing",
  description = "Packs what was ordered",
  system_prompt = "Choose a box for what was ordered, then hand over to shipping.",
  -- Shipping is told where to, and sees the order but nothing that was said about paying.
  handoffs = { { agent = shipping, state = { "customer.city", "order.*" }, history = "none" } },
  tools = {
    {
      name = "choose-box",
      description = "The smallest box that takes so many pieces",
      parameters = { pieces = "integer" },
      execute = function(params) return params.pieces > 2 and "large" or "small" end,
    },
  },
}

-- No model is needed to take down an order: an agent may be a function.
local desk = Agent.new{
  name = "desk",
  handoffs = { { agent = packing, state = { "customer.*", "order.*" }, history = "last" } },
  execute = function()
    return { handoff_request = { target = "packing", input = "Pack 3 kettles.", reason = "a new order" } }
  end,
}
desk:set_state("customer.name", "Ada")
desk:set_state("customer.city", "Oslo")
desk:set_state("order.item", "3 kettles")
desk:set_state("card", "4111 1111 1111 1111")

local answer = desk:execute("3 kettles to Ada in Oslo, card 4111 1111 1111 1111")
print(answer.text)
print("by way of " .. table.concat(answer.handoff, ", "))

local function known(agent)
  local names = {}
  for name in pairs(agent:get_state()) do names[#names + 1] = name end
  table.sort(names)
  return agent.name .. " knows " .. table.concat(names, ", ")
end
for _, agent in ipairs{ desk, packing, shipping } do print(known(agent)) end
