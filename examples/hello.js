#!/usr/bin/env llmspell
// hello.js: the model on this machine answers, and may use a tool
const agent = await new Agent({ systemPrompt: "Answer in one short sentence.", tools: ["calculator"] });
console.log((await agent.execute("What is 23 * 19?")).text);
