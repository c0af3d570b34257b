#!/usr/bin/env llmspell
// hooks_events.js: look into what runs, change it, and hear of it
let calls = 0;
await Hook.register("before_tool_execution", (ctx) => {
  calls += 1;
  if (ctx.tool !== "calculator") return undefined;
  // what is returned changes the call: every calculation is rounded
  return { type: "modified", data: { arguments: { ...ctx.arguments, precision: 2 } } };
});

// a guard decides: when it fails or says no, the call is refused
await Hook.register("before_tool_execution", {
  guard: true,
  priority: "highest",
  handler(ctx) {
    if (ctx.tool === "hash-calculator" && ctx.arguments.algorithm === "md5") {
      return { type: "cancel", reason: "md5 is not safe" };
    }
    return undefined;
  },
});

const seen = await Event.subscribe("tool.*");
console.log((await Tool.execute("calculator", { input: "10 / 3" })).output);
try {
  await Tool.execute("hash-calculator", { input: "x", algorithm: "md5" });
} catch (error) {
  console.log(error.message);
}

for (let event = await Event.receive(seen, 100); event; event = await Event.receive(seen, 0)) {
  console.log(event.type, event.data.name);
}
console.log("hooks saw", calls);
