// expect: script.memory_limit | script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
// An object that has another object behind each of its fields.
const endless = () => new Proxy({}, {
  ownKeys: () => ["a", "b"], get: endless,
  getOwnPropertyDescriptor: () => ({ value: endless(), enumerable: true, configurable: true }),
});
for (;;) {
  try { JSON.stringify(endless()); } catch {}
  try { JSON.encode(endless()); } catch {}
  console.log(endless());
  try { await Tool.execute("calculator", endless()); } catch {}
}
