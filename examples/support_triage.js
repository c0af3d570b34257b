#!/usr/bin/env llmspell
// support_triage.js: support hands a customer to billing, and billing hands back what is not its own
const invoices = { "2024-7": { amount: 40, paid: false }, "2024-8": { amount: 55, paid: true } };

await new Agent({
  name: "billing",
  description: "Knows invoices: amounts, and whether they are paid",
  systemPrompt: "You answer questions about invoices. Look them up. Hand back everything else.",
  handoffs: ["triage"],
  tools: [
    {
      name: "invoice",
      description: "An invoice by its number",
      parameters: { number: "string" },
      async execute({ number }) {
        return invoices[number] ?? (await Tool.retry("no such invoice; there are 2024-7 and 2024-8"));
      },
    },
  ],
});

const triage = await new Agent({
  name: "triage",
  description: "Takes every request, and helps with everything but invoices",
  systemPrompt: "You are the first who talks with a customer. Keep it short.",
  handoffs: [{ agent: "billing", description: "For questions about invoices and payments" }],
});

for (const text of ["Is invoice 2024-7 paid?", "And 2024-8?", "Thanks. When do you open?"]) {
  console.log("customer: " + text);
  const answer = await triage.execute({ text, session: "ada" });
  for (const name of answer.handoff) console.log(`  (handed over to ${name})`);
  console.log(`${answer.agent}: ${answer.text}`);
}
