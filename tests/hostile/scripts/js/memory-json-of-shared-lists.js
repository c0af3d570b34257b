// expect: script.memory_limit | script.wall_limit
// limits: wall_s = 0.5
// 2^40 elements as text, of 40 lists, in one C function that looks at no limit but memory.
let list = [1];
for (let i = 0; i < 40; i++) list = [list, list];
return JSON.stringify(list).length;
