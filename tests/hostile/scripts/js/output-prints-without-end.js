// expect: script.output_limit | script.cpu_limit | script.wall_limit
const line = "x".repeat(1000);
for (;;) print(line);
