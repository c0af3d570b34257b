// expect: script.wall_limit | script.cpu_limit
// profile: medium
// limits: cpu_s = 0.2
function more() {
  try { setTimeout(more, 0); setTimeout(more, 0); } catch (e) {}
}
setInterval(more, 0);
more();
