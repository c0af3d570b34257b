// expect: ok
// output: before
// Inside a getter the task cannot be left at once: it ends at its next wait at the latest.
print("before");
var it = { get a() { process.exit(3); } };
try { it.a; } catch (e) {}
for (;;) {
  try { Async.sleep(1); } catch (e) {}
}
