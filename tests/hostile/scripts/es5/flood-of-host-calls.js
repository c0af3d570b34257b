// expect: script.wall_limit | script.host_calls_limit | script.cpu_limit
// limits: cpu_s = 0.2
for (;;) {
  try { State.set("k", State.get("k", 0) + 1); } catch (e) {}
}
