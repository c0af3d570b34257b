#!/usr/bin/env llmspell
// content_pipeline.js: research, write, review; what the reviewer refuses is written again
const researcher = await new Agent({
  name: "researcher",
  systemPrompt: "List three facts about the topic, one a line.",
});
const writer = await new Agent({
  name: "writer",
  systemPrompt: "Write one paragraph from the notes, and nothing that is not in them.",
});
const reviewer = await new Agent({
  name: "reviewer",
  systemPrompt: "You check a paragraph against the notes it was made from.",
  responseFormat: {
    type: "object",
    properties: { good: { type: "boolean" }, remarks: { type: "string" } },
    required: ["good", "remarks"],
  },
});

const pipeline = await Workflow.sequential({
  name: "article",
  steps: [
    { name: "notes", agent: researcher, input: "{{input.topic}}" },
    { name: "draft", agent: writer, input: "Notes:\n{{steps.notes.output}}" },
    {
      name: "final",
      async execute(ctx) {
        const notes = ctx.steps.notes.output;
        let text = ctx.steps.draft.output;
        for (let round = 1; round <= 3; round += 1) {
          const review = (await reviewer.execute(`Notes:\n${notes}\n\nParagraph:\n${text}`)).data;
          if (review.good) return { text, rounds: round };
          console.log(`round ${round}: ${review.remarks}`);
          const again = `Notes:\n${notes}\n\nYour paragraph:\n${text}`;
          text = (await writer.execute(`${again}\n\nWrite it again: ${review.remarks}`)).text;
        }
        return { success: false, error: "the reviewer was never content" };
      },
    },
  ],
});

const result = await pipeline.executeOrThrow({ topic: args[1] ?? "kettles" });
console.log(result.output.text);
