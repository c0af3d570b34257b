#!/usr/bin/env llmspell
// tool_errors.js: an agent decides itself what its model is told of a call that went wrong
const clerk = await new Agent({
  name: "clerk",
  system_prompt: "You know the stock.",
  tools: [
    {
      name: "stock",
      description: "How many pieces of an item are in the store",
      parameters: { item: "string" },
      execute() { throw new Error("the drawer is stuck"); },
    },
  ],
  on_tool_error: (error, call) => {
    console.log(`  (${call.name} of ${call.arguments.item} failed)`);
    return "7, as of yesterday";
  },
  limits: { requests: 5, per_tool: { stock: 2 } },
});

const answer = await clerk.execute("How many kettles do we have?");
console.log(`${answer.text}\t${answer.tool_calls[0].result}`);
