// expect: script.cpu_limit | script.wall_limit
// limits: cpu_s = 0.2
const again = () => { Promise.resolve().then(again); };
again();
