// expect: script.cpu_limit | script.wall_limit | script.memory_limit
// limits: cpu_s = 0.2
// As much as a record may hold, a hundred times before the host takes them.
const text = "x".repeat(3e5);
for (let i = 0; ; i++) {
  Logger.error("small", { i });
  Logger.new({ name: "n" + i }).warn("large", { text, i });
  console.log(i);
}
