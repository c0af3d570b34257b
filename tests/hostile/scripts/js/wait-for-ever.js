// expect: script.wall_limit
// limits: wall_s = 0.5
Async.spawn(() => Async.sleep(1e15));
const id = await Event.subscribe("never");
await Event.receive(id, 1e15);
