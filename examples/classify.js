#!/usr/bin/env llmspell
// classify.js: a list as the answer, judged by a function, shown while it is written
//   llmspell examples/classify.js
const labels = ["billing", "shipping", "returns"];
const agent = await new Agent({
  systemPrompt: "Which of these is the letter about: billing, shipping, returns?",
  responseFormat: { type: "array", items: { type: "string", enum: labels }, minItems: 1, maxItems: 3 },
  outputValidator(value) {
    const again = value.find((label, at) => value.indexOf(label) < at);
    if (again) return { retry: `name each label once, not ${again} again` };
  },
});
const letter = args[1] ?? "My parcel came broken. I send it back and want my money.";
for await (const chunk of agent.stream(letter)) {
  if (chunk.type === "output.partial") console.log(`so far\t${JSON.stringify(chunk.value)}`);
  if (chunk.output) {
    console.log(`labels\t${chunk.output.data.join(" ")}`);
    console.log(`asked\t${chunk.output.metadata.iterations}`);
  }
}
