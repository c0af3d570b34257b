#!/usr/bin/env llmspell
-- approval.lua: a run that stops for an approval, and goes on in another process
--   llmspell approval.lua           runs until somebody must approve something
--   llmspell approval.lua approve   goes on from there; so does: deny
local refund = Tool.create{
  name = "refund",
  description = "Pay money back to a customer",
  parameters = { customer = "string", amount = "number" },
  requires_approval = function(p) return p.amount > 100 and "more than 100" end,
  execute = function(p) return "paid " .. p.amount .. " to " .. p.customer end,
}

local clerk = Agent.new{
  name = "clerk", -- the other process finds by it that this is the same agent
  system_prompt = "You help the customers of a kettle shop.",
  tools = { refund },
  on_approval = "pause",
}

local out
if args[1] then
  out = clerk:resume(Storage.get("paused"), args[1] == "approve" or { deny = "no receipt" })
else
  out = clerk:execute("Ann wants her 250 back.")
end

if out.status == "paused" then
  Storage.set("paused", out.state)
  for _, call in ipairs(out.pending) do
    print("waiting: " .. call.tool .. " for " .. call.arguments.customer .. " (" .. call.reason .. ")")
  end
else
  print("clerk: " .. out.text)
end
