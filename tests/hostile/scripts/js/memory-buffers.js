// expect: script.memory_limit
const kept = [];
for (;;) kept.push(new Uint8Array(1 << 20).fill(kept.length));
