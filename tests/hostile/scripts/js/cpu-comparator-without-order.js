// expect: script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
// A sort must end whatever the comparator says; here it never gets as far.
const list = Array.from({ length: 1000 }, (_, i) => i);
for (;;) {
  try {
    list.sort(() => (Math.random() < 0.5 ? -1 : 1));
    list.sort(() => { list.length = 0; list.push(1, 2, 3); return NaN; });
    for (let i = 0; i < 1000; i++) list[i] = 1000 - i;
    list.toSorted(() => 1);
  } catch {}
}
