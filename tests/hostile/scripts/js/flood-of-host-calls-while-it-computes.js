// expect: script.wall_limit | script.cpu_limit | script.host_calls_limit
// limits: cpu_s = 0.2
// Made and dropped in a loop that never lets the engine take a turn.
for (let i = 0; ; i++) {
  State.set("k" + i, { i }).catch(() => {});
  console.log("line", i);
}
