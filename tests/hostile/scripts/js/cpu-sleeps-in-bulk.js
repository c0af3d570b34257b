// expect: ok
// limits: tasks = 20, wall_s = 8
const kept = [], refused = new Set();
for (let i = 0; i < 1000; i++) {
  kept.push(Async.sleep(1).catch((error) => refused.add(error.code)));
}
await Promise.all(kept);
return [...refused].join() === "limit.tasks" ? "contained" : "refused by " + [...refused];
