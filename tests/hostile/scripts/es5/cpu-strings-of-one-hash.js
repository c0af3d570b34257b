// expect: script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
// The engine looks at some characters only to tell long texts apart: all of these are in one row.
var list = [], long = "x".repeat(1000);
for (var i = 0; ; i++) {
  list.push(long + i + long);
  if (list.length > 20000) list = [];
}
