// expect: script.wall_limit | script.host_calls_limit | script.cpu_limit
// limits: cpu_s = 0.2
// Hooks that register hooks, that publish, that change state whose change calls hooks.
let calls = 0;
const again = async (ctx) => {
  calls++;
  try {
    await State.set("key", calls);
    await Event.publish("a", { calls });
    await Tool.execute("calculator", { input: "1" });
    if (calls < 50) await Hook.register(ctx.point, again);
  } catch {}
};
await Hook.register("state_change", again);
await Hook.register("before_tool_execution", again);
await Event.subscribe("a", () => again({ point: "state_change" }).catch(() => {}), {}).catch(() => {});
for (;;) {
  try {
    await Async.timeout(500, () => Tool.execute("calculator", { input: "1" }));
  } catch {}
}
