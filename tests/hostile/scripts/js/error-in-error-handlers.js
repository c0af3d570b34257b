// expect: script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
// Each handler fails again, in another way, and calls the next.
const handlers = [
  (e) => { throw { toString: handlers[1], cause: e }; },
  (e) => { null.x; },
  (e) => { handlers[2 % handlers.length](`${e}`); },
];
for (let i = 0; ; i++) {
  try {
    try { handlers[0](i); } catch (e) { handlers[1](e); } finally { handlers[2]({}); }
  } catch (e) {
    console.error(e);
    Logger.error(e, { e });
  }
}
