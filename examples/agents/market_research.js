#!/usr/bin/env llmspell
// market_research.js: an agent that extends the built-in one for research, over two levels
await Agent.registerTemplate("market-research", {
  extends: "research",
  description: "Watches a market and its competitors.",
  parameters: {
    topic: "markets", // a new default of an inherited one
    market: { type: "string", required: true },
    competitors: { type: "array", items: { type: "string" }, default: [] },
  },
  promptAppend:
    "You watch the market for {{ market }}." +
    "{% if competitors %} Compare {{ competitors | join(', ') }}.{% endif %}",
  toolsAdd: ["csv-analyzer"],
  toolsRemove: ["citation-formatter"],
  capabilities: ["market-research"],
  limits: { requests: 20 },
});
await Agent.registerTemplate("tea-market", {
  extends: "market-research",
  parameters: { market: "tea", depth: "quick" },
  promptAppend: "Answer in at most three sentences.",
});

const about = await Agent.getInfo("tea-market");
console.log(about.levels.join(" > "));
console.log(about.tools.join(" "));

const analyst = await Agent.createFromTemplate("MarketResearchAgent", "tea-market", {
  competitors: ["Leaf & Co", "Kettle Ltd"],
  temperature: 0,
});
const answer = await analyst.execute(args[1] ?? "Who leads the market, and why?");
console.log(`${answer.agent}: ${answer.text}`);
