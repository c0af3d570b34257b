// expect: script.wall_limit
// limits: wall_s = 0.5
const tool = await Tool.create({ name: "t", description: "d", parameters: {}, execute: () => new Promise(() => {}) });
await tool.execute({});
