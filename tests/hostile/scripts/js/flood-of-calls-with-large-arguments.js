// expect: ok | script.memory_limit | script.wall_limit
// profile: medium
// limits: wall_s = 1
const text = "x".repeat(5e6);
const codes = new Set();
const calls = [];
for (let i = 0; i < 60; i++) {
  calls.push(Tool.execute("text-manipulator", { operation: "uppercase", input: text }).catch((e) => codes.add(e.code)));
}
await Promise.all(calls);
return "contained";
