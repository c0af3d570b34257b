// expect: script.cpu_limit | script.memory_limit | script.wall_limit
// limits: cpu_s = 0.2
// Tasks that fail and that nobody looks at.
for (;;) {
  try {
    Async.spawn(function () { throw { text: new Array(1000).join("x") }; });
  } catch (e) {
    Async["yield"]();
  }
}
