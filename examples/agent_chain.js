#!/usr/bin/env llmspell
// agent_chain.js: three agents, one after the other; a filter decides what each learns of the customer
const shipping = await new Agent({
  name: "shipping",
  description: "Sends a parcel",
  systemPrompt: "Say in one sentence what is sent, and to which city.",
});

const packing = await new Agent({
  name: "packing",
  description: "Packs what was ordered",
  systemPrompt: "Choose a box for what was ordered, then hand over to shipping.",
  // Shipping is told where to, and sees the order but nothing that was said about paying.
  handoffs: [{ agent: shipping, state: ["customer.city", "order.*"], history: "none" }],
  tools: [
    {
      name: "choose-box",
      description: "The smallest box that takes so many pieces",
      parameters: { pieces: "integer" },
      execute: ({ pieces }) => (pieces > 2 ? "large" : "small"),
    },
  ],
});

// No model is needed to take down an order: an agent may be a function.
const desk = await new Agent({
  name: "desk",
  handoffs: [{ agent: packing, state: ["customer.*", "order.*"], history: "last" }],
  execute: () => ({
    handoffRequest: { target: "packing", input: "Pack 3 kettles.", reason: "a new order" },
  }),
});
await desk.setState("customer.name", "Ada");
await desk.setState("customer.city", "Oslo");
await desk.setState("order.item", "3 kettles");
await desk.setState("card", "4111 1111 1111 1111");

const answer = await desk.execute("3 kettles to Ada in Oslo, card 4111 1111 1111 1111");
console.log(answer.text);
console.log("by way of " + answer.handoff.join(", "));
for (const agent of [desk, packing, shipping]) {
  const names = Object.keys(await agent.getState()).sort();
  console.log(`${agent.name} knows ${names.join(", ")}`);
}
