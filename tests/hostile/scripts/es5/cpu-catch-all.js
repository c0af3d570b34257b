// expect: script.cpu_limit | script.wall_limit
for (;;) {
  try {
    for (;;) { try { for (;;); } catch (e) { continue; } finally { continue; } }
  } catch (e) {} finally { continue; }
}
