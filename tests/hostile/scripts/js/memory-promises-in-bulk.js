// expect: script.memory_limit
for (;;) await Promise.all(Array.from({ length: 1e5 }, () => Promise.resolve()));
