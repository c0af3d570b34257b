// expect: script.cpu_limit | script.memory_limit | script.wall_limit
// limits: cpu_s = 0.2
// Beyond the limit each attempt fails, and is made again.
const more = async () => {
  for (let i = 0; i < 3; i++) {
    try { Async.spawn(more); } catch { await null; }
  }
};
for (;;) {
  try { Async.spawn(more); } catch { await Async.yield(); }
}
