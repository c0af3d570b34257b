#!/usr/bin/env llmspell
// concurrency.js: many things at once
const work = (name, ms) => async () => {
  await Async.sleep(ms);
  return `${name} after ${ms} ms`;
};

// all: results in the order given, in the time of the slowest; functions, tasks or promises
for (const line of await Async.all([work("a", 30), work("b", 10), work("c", 20)])) {
  console.log(line);
}

// race: the first one wins, the others are cancelled
console.log("first", await Async.race([work("slow", 500), work("quick", 5)]));

// a task goes on beside the main chunk; errors come out where it is awaited
const task = Async.spawn(async () =>
  (await Tool.execute("hash-calculator", { input: "llmspell" })).output);
try {
  await Async.timeout(5, work("late", 1000));
} catch (error) {
  console.log("timeout", error.code);
}
console.log("hash", (await task).slice(0, 8));

// at most two at the same time
const jobs = [1, 2, 3, 4, 5, 6].map((i) => async () =>
  (await Tool.execute("calculator", { input: `${i}^2` })).output);
console.log("squares", ...await Async.all(jobs, { concurrency: 2 }));
