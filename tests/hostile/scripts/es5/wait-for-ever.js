// expect: script.wall_limit
// limits: wall_s = 0.5
Async.spawn(function () { Async.sleep(1e15); });
var id = Event.subscribe("never");
Event.receive(id, 1e15);
