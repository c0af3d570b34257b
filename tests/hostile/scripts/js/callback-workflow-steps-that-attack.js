// expect: ok
// limits: wall_s = 8
// Steps that throw anything, change their ctx, and give more than a value may be.
const evil = { name: "evil", execute(ctx) { ctx.steps = null; ctx.input = () => ctx; throw { toString: null }; } };
const huge = { name: "huge", execute: () => "x".repeat(2e6) };
const good = { name: "good", execute: () => 42 };
const made = await Workflow.sequential({ name: "w", steps: [evil, huge, good], error_strategy: "continue" });
const result = await made.execute({ deep: [[[[]]]] });
return result.outputs.good === 42 ? "contained" : JSON.stringify(result.outputs);
