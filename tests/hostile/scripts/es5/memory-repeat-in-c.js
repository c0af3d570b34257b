// expect: script.memory_limit | script.cpu_limit | script.wall_limit
// Each asks for more than there is, in one function of C.
for (var i = 0; i < 50; i++) {
  try { "x".repeat(1 << 30); } catch (e) {}
  try { new Array(1 << 29).join("ab"); } catch (e) {}
}
var kept = [];
for (;;) kept.push("x".repeat((1 << 20) + kept.length));
