#!/usr/bin/env llmspell
-- market_research.lua: an agent that extends the built-in one for research, over two levels
Agent.register_template("market-research", {
  extends = "research",
  description = "Watches a market and its competitors.",
  parameters = {
    topic = "markets",                                   -- a new default of an inherited one
    market = { type = "string", required = true },
    competitors = { type = "array", items = { type = "string" }, default = {} },
  },
  prompt_append = "You watch the market for {{ market }}."
    .. "{% if competitors %} Compare {{ competitors | join(', ') }}.{% endif %}",
  tools_add = { "csv-analyzer" },
  tools_remove = { "citation-formatter" },
  capabilities = { "market-research" },
  limits = { requests = 20 },
})
Agent.register_template("tea-market", {
  extends = "market-research",
  parameters = { market = "tea", depth = "quick" },
  prompt_append = "Answer in at most three sentences.",
})

local about = Agent.get_info("tea-market")
print(table.concat(about.levels, " > "))
print(table.concat(about.tools, " "))

local analyst = Agent.create_from_template("MarketResearchAgent", "tea-market", {
  competitors = { "Leaf & Co", "Kettle Ltd" },
  temperature = 0,
})
local answer = analyst:execute(args[1] or "Who leads the market, and why?")
print(answer.agent .. ": " .. answer.text)
