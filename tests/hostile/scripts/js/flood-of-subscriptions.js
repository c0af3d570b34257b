// expect: ok | script.wall_limit
// profile: medium
const codes = new Set();
const noted = (error) => codes.add(error.code);
for (let i = 0; i < 11; i++) {
  const calls = [];
  for (let j = 0; j < 100; j++) {
    calls.push(Event.subscribe("e" + i).catch(noted));
  }
  await Promise.all(calls);
}
return [...codes].join() === "limit.subscriptions" ? "contained" : [...codes].join();
