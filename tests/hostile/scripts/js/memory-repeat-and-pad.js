// expect: script.memory_limit
// limits: cpu_s = 4, wall_s = 8
// Each asks for more than there is, in a C function, and the errors are swallowed.
for (let i = 0; i < 100; i++) {
  try { "x".repeat(2 ** 29); } catch {}
  try { "x".padEnd(2 ** 29, "ab"); } catch {}
}
const kept = [];
for (;;) kept.push("x".repeat(2 ** 20 + kept.length));
