// expect: ok | script.wall_limit
// limits: cpu_s = 0.2
await Hook.register("after_script", () => { for (;;); });
return "contained";
