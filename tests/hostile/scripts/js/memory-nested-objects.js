// expect: script.memory_limit
// So deep that freeing them is a recursion of its own.
let deep = {};
for (;;) deep = { deep, list: [deep] };
