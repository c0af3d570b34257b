// expect: script.wall_limit
// limits: wall_s = 1
for (;;) {
  try { await Tool.execute("json-processor", { operation: "query", input: [1], query: "def f: f; f" }); } catch {}
}
