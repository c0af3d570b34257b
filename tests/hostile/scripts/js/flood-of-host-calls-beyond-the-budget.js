// expect: script.host_calls_limit
// limits: host_calls = 50
for (;;) {
  try { await State.get("k"); } catch {}
}
