// expect: script.memory_limit
var kept = [];
for (;;) kept.push(new Uint8Array(1 << 20));
