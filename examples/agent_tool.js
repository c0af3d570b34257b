#!/usr/bin/env llmspell
// agent_tool.js: an agent that may call a function of this script
const stock = { kettles: 7, teapots: 0 };

const agent = await new Agent({
  systemPrompt: "You know the stock of a shop. Use the tool, then answer in one short sentence.",
  tools: [
    {
      name: "stock",
      description: "How many pieces of an item are in the store",
      parameters: { item: "string" },
      async execute({ item }) {
        const count = stock[item.toLowerCase()];
        if (count === undefined) await Tool.retry("unknown item; there are: kettles, teapots");
        return { item, count };
      },
    },
  ],
});

const answer = await agent.execute("How many kettles do we have?");
console.log(answer.text);
for (const call of answer.toolCalls) {
  console.log("called", call.name, JSON.stringify(call.arguments), call.error?.message ?? "ok");
}
console.log("tokens", answer.metadata.usage.totalTokens);
