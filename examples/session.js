#!/usr/bin/env llmspell
// session.js: the conversation of the last run goes on; `llmspell session list` shows it
const agent = await Agent.new({ name: "companion", systemPrompt: "Answer in one short sentence." });
const session = "companion-" + (args[1] || "default");

await Session.setCurrent(session);
const before = (await agent.history()).length;
console.log(await agent.chat(args[2] || "Remember that my parcel goes to Oslo."));

await agent.remember("last", new Date().toISOString().slice(0, 10));
console.log(`${before} messages before, ${(await agent.history()).length} now`);
