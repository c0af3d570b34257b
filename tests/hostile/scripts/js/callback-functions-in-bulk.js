// expect: ok
// limits: wall_s = 8
// Functions that the host is to hold, many times over, and forgets.
let refused = 0;
for (let i = 0; i < 30; i++) {
  const many = {};
  for (let j = 0; j < 50; j++) many["f" + j] = () => i + j;
  try { await Tool.execute("calculator", { input: "1", many }); } catch { refused++; }
  try { await State.set("functions", many); refused--; } catch { refused++; }
}
return refused > 0 ? "contained" : "refused " + refused;
