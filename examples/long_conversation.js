#!/usr/bin/env llmspell
// long_conversation.js: a chat that outgrows its model's window goes on with a summary of its beginning
const guide = await new Agent({
  name: "guide",
  systemPrompt: "You plan a walk through the city. Remember what was agreed.",
  context: { threshold: 0.8, target: 0.5, keepTurns: 2 },
});

await Event.subscribe("agent.compacted", (event) => {
  const data = event.data;
  console.log(`  (${data.steps.join(", ")}: ${data.before_messages} messages became ${data.after_messages})`);
});

const places = ["the harbour", "the old town", "the museum", "the park", "the tower"];
for (const place of places) {
  await guide.chat("Tell me all about " + place);
  console.log("heard about " + place);
}
console.log("last: " + (await guide.chat("Where did we begin?")));
console.log((await guide.history()).length + " messages are kept");
