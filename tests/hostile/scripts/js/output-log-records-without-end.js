// expect: script.cpu_limit | script.wall_limit
// Records are handed over while it computes, and must not be cut.
for (;;) Logger.error("x", { a: [1, 2, 3] });
