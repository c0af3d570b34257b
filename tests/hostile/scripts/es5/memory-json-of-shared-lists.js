// expect: script.memory_limit | script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
var list = [1];
for (var i = 0; i < 40; i++) list = [list, list];
return JSON.stringify(list).length;
