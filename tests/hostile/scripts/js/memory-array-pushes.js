// expect: script.memory_limit
const list = [];
for (;;) list.push(list.length, list, "text", null, {});
