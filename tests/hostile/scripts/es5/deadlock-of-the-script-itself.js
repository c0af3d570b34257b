// expect: async.deadlock
Async.queue(1).pop();
