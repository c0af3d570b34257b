// expect: script.memory_limit | script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
const endless = () => new Proxy([], {
  get: (_, key) => (key === "length" ? 2 ** 32 - 1 : key === "toJSON" ? undefined : endless()),
});
const error = new Error("details");
error.details = { get more() { return Array.from({ length: 1e9 }, endless); } };
throw error;
