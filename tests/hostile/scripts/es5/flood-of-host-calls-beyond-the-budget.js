// expect: script.host_calls_limit
// limits: host_calls = 50
for (;;) {
  try { State.get("k"); } catch (e) {}
}
