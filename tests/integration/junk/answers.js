// Everything that a script may answer the host by a function, answered with junk.
const llm = (more) => Agent.new({ system_prompt: "x", ...more });
const tool = (execute, more) => ({ name: "t", description: "d", execute, ...more });
const run = async (more, text = "call t {}") => (await llm(more)).execute(text);
const POINTS = ["agent_execution", "tool_execution", "llm_call"];
await llm({ name: "peer" });
for (const one of JUNK) {
  const text = JSON.stringify(one), give = () => one, tools = [tool(() => "r")];
  for (const when of ["before_", "after_"]) for (const point of POINTS) {
    await attempt(`hook ${when + point}: ${text}`, () => run({ tools, hooks: { [when + point]: give } }));
  }
  for (const place of ["input", "output", "tool_input", "tool_output"]) {
    await attempt(`guardrail ${place}: ${text}`, () => run({ tools, guardrails: { [place]: [give] } }));
  }
  for (const field of ["instruction", "context", "session", "attachments", "parameters", "variables", "resume"]) {
    await attempt(`input ${field}: ${text}`, () => run({}, { text: "x", [field]: one }));
  }
  await attempt(`tool: ${text}`, () => run({ tools: [tool(give)] }));
  await attempt(`agent of code: ${text}`, async () => (await Agent.new({ name: "c", execute: give })).execute("x"));
  await attempt(`output_validator: ${text}`, () => run({ output_validator: give }));
  await attempt(`approval: ${text}`, () => run({ tools: [tool(give, { requires_approval: true })], on_approval: give }));
  await attempt(`requires_approval: ${text}`, () => run({ tools: [tool(give, { requires_approval: give })] }));
  await attempt(`history: ${text}`, () => run({ handoffs: [{ agent: "peer", history: give }] }, "call transfer_to_peer {}"));
  await attempt(`when: ${text}`, () => run({ handoffs: [{ agent: "peer", when: give }] }));
  await attempt(`strategy: ${text}`, () => run({ context: { strategy: give } }));
  await attempt(`step: ${text}`, async () => (await Workflow.sequential({ steps: [
    { name: "a", when: give, execute: give }, { name: "b", tool: "calculator", input: give },
  ] })).execute("x"));
}

return { calls, wrong };
