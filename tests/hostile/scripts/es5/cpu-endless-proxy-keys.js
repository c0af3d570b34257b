// expect: script.cpu_limit | script.memory_limit | script.wall_limit
// limits: cpu_s = 0.2
function endless() {
  return new Proxy({}, {
    ownKeys: function () { return ["a", "b"]; }, get: endless, has: function () { return true; },
    enumerate: function () { return ["a"]; },
  });
}
for (;;) {
  try { JSON.stringify(endless()); } catch (e) {}
  try { JSON.encode(endless()); } catch (e) {}
  try { console.log(endless()); } catch (e) {}
  try { Tool.execute("calculator", endless()); } catch (e) {}
}
