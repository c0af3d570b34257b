// expect: script.memory_limit
// limits: cpu_s = 4, wall_s = 8
for (;;) await Promise.all(Array.from({ length: 1e5 }, () => Promise.resolve()));
