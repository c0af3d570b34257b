// expect: script.memory_limit
// limits: cpu_s = 4, wall_s = 8
// So deep that freeing them is a recursion of its own.
let deep = {};
for (;;) deep = { deep, list: [deep] };
