// expect: limit.value_size | script.memory_limit | script.cpu_limit
// Functions that the host would have to hold.
return Array.from({ length: 1e6 }, () => () => 1);
