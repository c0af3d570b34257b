// expect: ok
// output: before
print("before");
for (;;) {
  try { process.exit(3); } catch (e) {} finally { print("after"); continue; }
}
