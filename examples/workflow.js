#!/usr/bin/env llmspell
// workflow.js: steps in order; each one's input may name what came before it
const report = await Workflow.sequential({
  name: "report",
  steps: [
    {
      name: "words",
      tool: "text-manipulator",
      input: { operation: "word_count", input: "{{input.text}}" },
    },
    {
      name: "grade",
      execute: (ctx) => (Number(ctx.steps.words.output) > 8 ? "long" : "short"),
    },
    {
      name: "sum",
      tool: "calculator",
      when: "steps.grade.output == 'long'",
      input: { input: "{{steps.words.output}} * 0.4" },
      retry: { maxAttempts: 2, backoffMs: 10 },
    },
    {
      name: "write",
      type: "template",
      template: "A {{steps.grade.output}} text: {{steps.words.output}} words, {{steps.sum.output}} s to read.",
    },
  ],
  onStepComplete: (name, result) => console.log(name, result.success),
});

const result = await report.execute({ text: "These nine words are what the text consists of." });
console.log(result.output);
console.log(result.success, result.metadata.stepsExecuted);
