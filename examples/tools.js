#!/usr/bin/env llmspell
// tools.js: call tools from a script; no model is needed
const sum = await Tool.execute("calculator", { input: "(2 + 3) * 8.4" });
console.log("calculated", sum.output);

// Tool["name"] is the same tool as an object; fields of a result are readable on it
const id = await Tool["uuid-generator"].execute({ version: "v5", namespace: "dns", name: "example.org" });
console.log("named id", id.uuid);

// A failure is thrown. Tool.try gives it back instead.
const tried = await Tool.try("json-processor", { operation: "query", input: "[1, 2", query: "length" });
console.log("tried", tried.success, tried.error.code);

// A pipe hands each output to the next tool as its input.
const shout = await Tool.pipe([
  { tool: "template-creator", params: { context: { name: "spell" } } },
  { tool: "text-manipulator", params: { operation: "uppercase" } },
]);
console.log("piped", (await shout.execute({ input: "hello, {{ name }}!" })).text);

const tools = await Tool.list("util");
console.log(tools.map((tool) => tool.name).join(" "));
