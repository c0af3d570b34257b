// expect: limit.value_size | script.memory_limit
return "x".repeat(3e7);
