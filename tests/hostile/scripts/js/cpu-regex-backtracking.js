// expect: script.cpu_limit | script.wall_limit
return /^(a+)+$/.test("a".repeat(40) + "!");
