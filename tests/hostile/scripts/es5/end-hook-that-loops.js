// expect: ok | script.wall_limit
// limits: cpu_s = 0.2
Hook.register("after_script", function () { for (;;); });
return "contained";
