// expect: script.output_limit | script.memory_limit
// profile: high
// limits: wall_s = 8
print("x".repeat(12 << 20));
for (;;) stdout.write("y".repeat(1 << 20));
