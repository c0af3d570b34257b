#!/usr/bin/env llmspell
// state.js: what a spell keeps from one run to the next
const runs = await State.increment("runs", 1);
console.log(`this is run ${runs}`);

// update reads, changes and writes; it repeats when somebody else wrote meanwhile
const last = await State.update("history", (history) =>
  [...(history ?? []), { run: runs, at: new Date().toISOString().slice(0, 10) }]);
console.log("remembered", last.length);

// several keys at once, all or none
await State.transaction(async (tx) => {
  await tx.set("first", (await tx.get("first")) ?? runs);
  await tx.set("latest", runs);
});
console.log("first", await State.get("first"), "latest", await State.get("latest"));

if (args.reset) {
  await Promise.all((await State.keys()).map((key) => State.delete(key)));
  console.log("forgotten");
}
