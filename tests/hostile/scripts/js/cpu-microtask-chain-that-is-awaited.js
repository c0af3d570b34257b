// expect: script.cpu_limit | script.memory_limit | script.wall_limit
// limits: cpu_s = 0.2
// Each promise waits for the next one: the chain is kept as well.
const again = () => Promise.resolve().then(again);
await again();
