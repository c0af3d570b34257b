// expect: script.cpu_limit | script.wall_limit
// Swallows whatever can be swallowed and goes on.
for (;;) {
  try {
    for (;;) { try { for (;;); } catch { continue; } finally { continue; } }
  } catch {} finally { continue; }
}
