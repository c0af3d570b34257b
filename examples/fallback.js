#!/usr/bin/env llmspell
// fallback.js: another model answers when the first one fails, also in the middle of an answer
const writer = await new Agent({
  name: "writer",
  model: "front/large",
  fallbackModels: ["back/small"],
  retry: { maxAttempts: 2, backoffMs: 10 },
});

await Event.subscribe("llm.fallback", (event) => {
  console.log(`  (${event.data.model} failed, asking ${event.data.to})`);
});

let text = "";
for await (const chunk of writer.stream("Name the kettle")) {
  if (chunk.type === "restart") text = ""; // what came so far is void
  if (chunk.type === "text") text += chunk.text;
}
console.log(`writer: ${text}`);
