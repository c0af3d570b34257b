#!/usr/bin/env llmspell
// look.js: what is on a picture; a model without eyes says which ones have them
//   llmspell examples/look.js picture.png
const agent = await new Agent({ systemPrompt: "Say in one sentence what the attachment shows." });
try {
  const out = await agent.execute({ text: "What is this?", attachments: [args[1] ?? "picture.png"] });
  console.log(out.text);
  for (const part of out.artifacts ?? []) console.log(`drawn\t${part.mediaType}\t${part.data.length}`);
} catch (error) {
  console.log(`${error.code}\t${error.message}`);
}
