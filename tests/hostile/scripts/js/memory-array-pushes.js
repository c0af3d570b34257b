// expect: script.memory_limit
// limits: cpu_s = 4, wall_s = 8
const list = [];
for (;;) list.push(list.length, list, "text", null, {});
