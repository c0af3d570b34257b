#!/usr/bin/env llmspell
// batch.js: one agent, many inputs, some at a time
const rates = { EUR: 1.08, GBP: 1.27 };

// deps reach the agent's code and its tools; no model sees them
const convert = await new Agent({
  name: "convert",
  deps: rates,
  execute(input, ctx) {
    const [, amount, currency] = input.match(/([\d.]+) ([A-Z]+)/);
    const rate = ctx.deps[currency];
    if (!rate) throw new Error("no rate for " + currency);
    return `${input} is ${(amount * rate).toFixed(2)} USD`;
  },
});

// the outputs stand in the order of the inputs; a failed one costs only itself
const outputs = await convert.batch(["10 EUR", "5 XYZ", "2.50 GBP"], { concurrency: 2 });
outputs.forEach((out, i) => print(i + 1, out.error ? out.error.message : out.text));

// stopped, it takes no more
print(await convert.stop());
try {
  await convert.execute("1 EUR");
} catch (e) {
  print(e.code);
}
