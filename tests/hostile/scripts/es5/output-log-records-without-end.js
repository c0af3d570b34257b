// expect: script.cpu_limit | script.wall_limit | script.memory_limit
// limits: cpu_s = 0.2
for (;;) Logger.error("x", { a: [1, 2, 3] });
