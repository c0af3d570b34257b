// expect: limit.value_depth
let deep = [];
for (let i = 0; i < 1e5; i++) deep = [deep];
return deep;
