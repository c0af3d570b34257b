// expect: ok | script.wall_limit
// profile: high
// limits: wall_s = 1
const codes = new Set();
const text = "x".repeat(1e6);
for (let i = 0; i < 90; i++) {
  try { await State.set("key " + i, text); } catch (error) { codes.add(error.code); }
}
return [...codes].join() === "limit.state_size" ? "contained" : [...codes].join();
