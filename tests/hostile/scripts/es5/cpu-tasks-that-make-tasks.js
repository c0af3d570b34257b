// expect: script.cpu_limit | script.wall_limit | script.memory_limit
// limits: cpu_s = 0.2
function more() {
  for (var i = 0; i < 3; i++) {
    try { Async.spawn(more); } catch (e) { Async["yield"](); }
  }
}
for (;;) more();
