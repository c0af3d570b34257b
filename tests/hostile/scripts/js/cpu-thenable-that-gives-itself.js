// expect: script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
const endless = { then(resolve) { resolve(endless); } };
await endless;
