#!/usr/bin/env llmspell
// extract.js: text in, JSON out; the answer has to match a schema
//   echo "ship the parcel to Oslo by friday" | llmspell examples/extract.js
const agent = await new Agent({
  systemPrompt: "Extract what the text says, as JSON.",
  responseFormat: {
    type: "object",
    properties: {
      item: { type: "string" },
      city: { type: "string" },
      deadline: { type: "string" },
    },
    required: ["item", "city", "deadline"],
  },
});
export default (await agent.execute(await stdin.text())).data;
