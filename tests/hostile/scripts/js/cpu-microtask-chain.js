// expect: script.cpu_limit | script.wall_limit
const again = () => { Promise.resolve().then(again); };
again();
