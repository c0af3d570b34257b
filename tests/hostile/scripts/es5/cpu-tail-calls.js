// expect: script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
// No frame is kept for a call in a tail position, so no depth ends it.
function again(n) { return again(n + 1); }
return again(0);
