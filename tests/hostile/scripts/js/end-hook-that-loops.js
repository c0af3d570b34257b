// expect: script.cpu_limit | script.wall_limit | ok
// limits: cpu_s = 0.2
await Hook.register("after_script", () => { for (;;); });
return "contained";
