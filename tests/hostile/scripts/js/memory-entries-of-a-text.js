// expect: script.memory_limit
return Object.entries("x".repeat(1e6)).length;
