// expect: script.wall_limit | script.host_calls_limit | script.cpu_limit
// limits: cpu_s = 0.2
await Event.subscribe("again", async (event) => {
  await Event.publish("again", event.data);
  await Event.publish("again", event.data);
});
await Event.publish("again", { n: 1 });
for (;;) await Async.sleep(10);
