// expect: script.memory_limit | script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
var list = [];
for (;;) list.push([list, list.length, {}, [], {}, [], {}, []]);
