// expect: script.output_limit | script.memory_limit
// profile: high
print("x".repeat(12 << 20));
for (;;) stdout.write("y".repeat(1 << 20));
