// expect: ok
// limits: wall_s = 1
await Hook.register("after_script", () => new Promise(() => {}));
return "contained";
