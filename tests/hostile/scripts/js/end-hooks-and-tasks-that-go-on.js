// expect: script.wall_limit | script.host_calls_limit | script.cpu_limit
// limits: wall_s = 0.5
await Hook.register("after_script", async () => { for (;;) await State.set("k", 1); });
Async.spawn(async () => { for (;;) await Async.sleep(1); });
await Event.subscribe("**", () => Event.publish("more", {}));
return "contained";
