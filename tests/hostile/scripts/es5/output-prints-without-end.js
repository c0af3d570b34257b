// expect: script.output_limit | script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
for (;;) print(new Array(1000).join("x"));
