// expect: script.cpu_limit | script.wall_limit | script.memory_limit
// limits: cpu_s = 0.2
function dive() {
  try { dive(); } catch (e) { dive(); } finally { dive(); }
}
for (;;) {
  try { dive(); } catch (e) {}
}
