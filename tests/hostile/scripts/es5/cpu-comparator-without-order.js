// expect: script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
var list = [];
for (;;) {
  try {
    for (var i = 0; i < 1000; i++) list[i] = 1000 - i;
    list.sort(function () { return Math.random() < 0.5 ? -1 : 1; });
    list.sort(function () { list.length = 0; return NaN; });
  } catch (e) {}
}
