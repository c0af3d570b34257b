// expect: script.cpu_limit | script.memory_limit | script.wall_limit
// limits: cpu_s = 0.2
// Exponential: each frame tries again when the stack is full.
const dive = () => {
  try { dive(); } catch { dive(); } finally { dive(); }
};
for (;;) {
  try { dive(); } catch {}
}
