// expect: ok
// output: before
print("before");
for (;;) {
  try {
    process.exit({ valueOf() { return 3; }, toString() { return "3"; } });
  } catch {} finally {
    print("after");
    continue;
  }
}
