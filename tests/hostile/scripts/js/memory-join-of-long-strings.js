// expect: script.memory_limit
const long = "x".repeat(1e6);
return new Array(1e5).fill(long).join(long).length;
