#!/usr/bin/env llmspell
// approval.js: a run that stops for an approval, and goes on in another process
//   llmspell approval.js           runs until somebody must approve something
//   llmspell approval.js approve   goes on from there; so does: deny
const refund = await Tool.create({
  name: "refund",
  description: "Pay money back to a customer",
  parameters: { customer: "string", amount: "number" },
  requiresApproval: (p) => p.amount > 100 && "more than 100",
  execute: (p) => "paid " + p.amount + " to " + p.customer,
});

const clerk = await Agent.new({
  name: "clerk", // the other process finds by it that this is the same agent
  systemPrompt: "You help the customers of a kettle shop.",
  tools: [refund],
  onApproval: "pause",
});

let out;
if (args[1]) {
  out = await clerk.resume(await Storage.get("paused"), args[1] === "approve" || { deny: "no receipt" });
} else {
  out = await clerk.execute("Ann wants her 250 back.");
}

if (out.status === "paused") {
  await Storage.set("paused", out.state);
  for (const call of out.pending) {
    print("waiting: " + call.tool + " for " + call.arguments.customer + " (" + call.reason + ")");
  }
} else {
  print("clerk: " + out.text);
}
