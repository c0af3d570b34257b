// expect: script.cpu_limit | script.wall_limit | ok
// limits: cpu_s = 0.2
// Called when an object is freed; it may be that none is while the script lives.
const registry = new FinalizationRegistry(() => { for (;;); });
for (let i = 0; i < 100; i++) registry.register({ i }, i);
await Async.sleep(1);
return "contained";
