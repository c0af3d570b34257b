// expect: script.memory_limit | script.cpu_limit | script.wall_limit
const map = new Map(), set = new Set();
for (let i = 0; ; i++) {
  map.set(i, new Array(100));
  set.add("key " + i);
}
