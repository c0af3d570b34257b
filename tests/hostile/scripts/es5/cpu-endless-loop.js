// expect: script.cpu_limit | script.wall_limit
for (;;);
