// expect: script.memory_limit | script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
// A catch-all that goes on: freed memory is had again, so either limit may be first.
for (;;) {
  try {
    const list = [];
    for (;;) list.push("x".repeat(1e5) + list.length);
  } catch {}
}
