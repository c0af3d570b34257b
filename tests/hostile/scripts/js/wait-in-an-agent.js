// expect: script.wall_limit
// limits: wall_s = 0.5
const agent = await Agent.new({ name: "a", tools: [{ name: "t", description: "d", parameters: {}, execute: () => new Promise(() => {}) }] });
await agent.invoke_tool("t", {});
