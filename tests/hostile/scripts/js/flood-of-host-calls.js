// expect: script.wall_limit | script.host_calls_limit | script.cpu_limit
// limits: cpu_s = 0.2
for (;;) {
  const calls = [];
  for (let i = 0; i < 90; i++) calls.push(State.set("k", i).catch(() => {}));
  await Promise.all(calls);
}
