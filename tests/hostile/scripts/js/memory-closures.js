// expect: script.memory_limit
// limits: cpu_s = 4, wall_s = 8
let last = () => 0;
for (;;) {
  const before = last;
  last = () => before() + 1;
}
