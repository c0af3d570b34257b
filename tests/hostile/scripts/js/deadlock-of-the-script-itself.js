// expect: async.deadlock
const never = new Promise(() => {});
Async.spawn(() => never);
await never;
