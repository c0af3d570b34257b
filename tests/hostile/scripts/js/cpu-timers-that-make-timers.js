// expect: script.wall_limit | script.cpu_limit
// profile: medium
// limits: cpu_s = 0.2
const more = () => {
  try { setTimeout(more, 0); } catch {}
  try { setImmediate(more); } catch {}
};
for (let i = 0; i < 100; i++) more();
setInterval(() => {}, 0);
