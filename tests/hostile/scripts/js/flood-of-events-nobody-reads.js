// expect: ok
// limits: wall_s = 8
// A queue keeps so many, and drops the rest.
const id = await Event.subscribe("flood");
for (let i = 0; i < 300; i++) await Event.publish("flood", { text: "x".repeat(10000), i });
const [one] = await Event.list_subscriptions();
const history = await Event.history({ pattern: "flood", limit: 20 });
return one.pending + one.dropped === 300 && history.length <= 20 ? "contained" : JSON.stringify(one);
