// expect: script.memory_limit
return new Array(1e9).fill(0).length;
