// expect: script.wall_limit
// limits: wall_s = 1
Async.spawn(function () { Async.sleep(1e15); });
var id = Event.subscribe("never");
Event.receive(id, 1e15);
