#!/usr/bin/env llmspell
// tracing.js: see what ran below what, without any server
await Hook.enable("tracing");

const totals = await Workflow.sequential({
  name: "totals",
  steps: [
    { name: "add", tool: "calculator", parameters: { input: "19 + 23" } },
    { name: "late", when: "false", tool: "calculator", parameters: { input: "1" } },
    { name: "double", tool: "calculator", parameters: { input: "{{ steps.add.output }} * 2" } },
  ],
});
await totals.execute({});
await Tool.try("calculator", { input: "1 / 0" });

const { spans } = (await Hook.get_stats()).builtin.tracing;

function show(parent, indent) {
  const below = spans.filter((span) => span.parent_id === parent);
  for (const span of below.sort((a, b) => a.start_time - b.start_time)) {
    const about = span.attributes;
    const note = about["error.type"] ?? about["llmspell.step.skipped_reason"] ?? "ok";
    console.log(`${indent}${span.name}: ${note}`);
    show(span.span_id, `${indent}  `);
  }
}
show(undefined, "");
