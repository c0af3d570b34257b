// expect: script.wall_limit
// limits: wall_s = 0.7
for (;;) {
  try { await Tool.execute("json-processor", { operation: "query", input: [1], query: "def f: f; f" }); } catch {}
}
