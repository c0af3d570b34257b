// expect: ok
globalThis.Promise = class { constructor() { for (;;); } };
await Async.sleep(1);
const results = await Async.all([async () => 1, async () => 2]);
return results.length === 2 ? "contained" : results;
