// expect: script.output_limit | script.cpu_limit | script.wall_limit
for (;;) print(new Array(1000).join("x"));
