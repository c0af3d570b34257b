#!/usr/bin/env llmspell
// run_events.js: watch a run with two agents while it happens
const billing = await new Agent({ name: "billing", systemPrompt: "You answer questions about bills." });
const triage = await new Agent({ name: "triage", systemPrompt: "You pass questions on.", handoffs: [billing] });

const run = await triage.start("Is my bill paid?");
const answer = {};
for await (const event of run.events()) {
  if (event.type === "handoff") {
    print(`${event.agentPath} hands over to ${event.target}`);
  } else if (event.type === "text.delta") {
    // the deltas of one request are its whole text
    answer[event.request] = (answer[event.request] ?? "") + event.text;
  } else if (event.type === "run.completed") {
    print(`${event.output.agent}: ${answer[event.request]}`);
  }
}
print(await run.status());
