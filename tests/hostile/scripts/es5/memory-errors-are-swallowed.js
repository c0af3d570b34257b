// expect: script.memory_limit | script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
for (;;) {
  try {
    var list = [];
    for (;;) list.push(new Array(1000).join("x") + list.length);
  } catch (e) {} finally { continue; }
}
