// expect: script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
for (;;) {
  try {
    for (;;) { try { for (;;); } catch (e) { continue; } finally { continue; } }
  } catch (e) {} finally { continue; }
}
