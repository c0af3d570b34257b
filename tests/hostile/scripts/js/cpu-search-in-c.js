// expect: script.wall_limit | script.cpu_limit
// limits: wall_s = 0.5
// One call of a C function that compares 10^12 characters.
const half = "a".repeat(2e6);
return (half + half).indexOf(half + "b");
