// expect: ok | script.cpu_limit | script.wall_limit
// limits: wall_s = 1
// What the host keeps of them is no more than the script's own memory.
let code = "";
const prompt = "x".repeat(9e5);
for (let i = 0; i < 200 && !code; i++) {
  try { await Agent.new({ name: "a" + i, system_prompt: prompt + i }); } catch (error) { code = error.code; }
}
return code === "limit.held_size" ? "contained" : "all were made, " + code;
