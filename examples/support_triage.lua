#!/usr/bin/env llmspell
-- support_triage.lua: support hands a customer to billing, and billing hands back what is not its own
local invoices = { ["2024-7"] = { amount = 40, paid = false }, ["2024-8"] = { amount = 55, paid = true } }

Agent.new{
  name = "billing",
  description = "Knows invoices: amounts, and whether they are paid",
  system_prompt = "You answer questions about invoices. Look them up. Hand back everything else.",
  handoffs = { "triage" },
  tools = {
    {
      name = "invoice",
      description = "An invoice by its number",
      parameters = { number = "string" },
      execute = function(params)
        return invoices[params.number] or Tool.retry("no such invoice; there are 2024-7 and 2024-8")
      end,
    },
  },
}

local triage = Agent.new{
  name = "triage",
  description = "Takes every request, and helps with everything but invoices",
  system_prompt = "You are the first who talks with a customer. Keep it short.",
  handoffs = { { agent = "billing", description = "For questions about invoices and payments" } },
}

for _, text in ipairs{ "Is invoice 2024-7 paid?", "And 2024-8?", "Thanks. When do you open?" } do
  print("customer: " .. text)
  local answer = triage:execute{ text = text, session = "ada" }
  for _, name in ipairs(answer.handoff) do print("  (handed over to " .. name .. ")") end
  print(answer.agent .. ": " .. answer.text)
end
