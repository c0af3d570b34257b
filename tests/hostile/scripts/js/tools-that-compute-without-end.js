// expect: ok
// profile: medium
// limits: wall_s = 8
// A query is cut off by the tool itself, in another process; meanwhile the host does other things.
const codes = [];
for (const query of ["def f: f; f", "[range(1e12)]"]) {
  try { await Tool.execute("json-processor", { operation: "query", input: [1], query }); } catch (error) { codes.push(error.code); }
}
return codes.every((code) => code.startsWith("limit.")) && codes.length === 2 ? "contained" : codes.join();
