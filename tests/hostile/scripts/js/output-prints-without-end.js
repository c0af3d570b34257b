// expect: script.output_limit | script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
const line = "x".repeat(1000);
for (;;) print(line);
