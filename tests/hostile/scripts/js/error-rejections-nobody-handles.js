// expect: script.cpu_limit | script.memory_limit | script.wall_limit
// limits: cpu_s = 0.2
for (;;) {
  for (let i = 0; i < 1000; i++) Promise.reject({ i });
  await null;
}
