// expect: script.wall_limit | script.host_calls_limit | script.cpu_limit
// limits: cpu_s = 0.2
Event.subscribe("again", function (event) {
  Event.publish("again", event.data);
  Event.publish("again", event.data);
});
Event.publish("again", { n: 1 });
for (;;) Async.sleep(10);
