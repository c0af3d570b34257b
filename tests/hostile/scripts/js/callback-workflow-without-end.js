// expect: script.wall_limit | script.cpu_limit
// limits: cpu_s = 0.2
// Only microtasks: the engine never gets to look whether the host has cancelled the step.
const made = await Workflow.sequential({
  steps: [{ name: "a", timeout_ms: 100, execute: async () => { for (;;) await null; } }, { execute: () => 1 }],
});
await made.execute();
