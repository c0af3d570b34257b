// expect: script.error | limit.value_size | script.memory_limit
// profile: high
throw new Error("x".repeat(4 << 20));
