#!/usr/bin/env llmspell
// research_team.js: researchers who read different sources at once; where they contradict each other, an arbiter decides
const sources = {
  press: "The Kettle Ltd annual dinner: 120 guests. The firm sold 900 kettles and has 40 employees.",
  register: "Kettle Ltd, founded 1987, 38 employees, 900 kettles sold.",
};
const text = { type: "string" };
const table = (properties) => ({ type: "object", properties, required: Object.keys(properties) });
const findings = table({ claims: { type: "array", items: table({ fact: text, value: text }) } });
const verdict = table({ value: text, because: text });

async function research(source) {
  const agent = await new Agent({
    name: `${source}-researcher`,
    systemPrompt: `List what the source says as facts with values: employees, sold, founded.\n\n${sources[source]}`,
    responseFormat: findings,
  });
  const { data } = await agent.execute("What is known of Kettle Ltd?");
  return data.claims.map((claim) => ({ ...claim, source }));
}
const claims = (await Promise.all(Object.keys(sources).map(research))).flat();

// Who says what of each fact; the code finds the contradictions, no model has to.
const said = new Map();
for (const { fact, source, value } of claims) {
  said.set(fact, [...(said.get(fact) ?? []), { source, value }]);
}

const arbiter = await new Agent({
  name: "arbiter",
  systemPrompt: "Two sources contradict each other. Choose the value to believe: a register before the press.",
  responseFormat: verdict,
});
for (const [fact, found] of said) {
  if (new Set(found.map((claim) => claim.value)).size > 1) {
    const { data } = await arbiter.execute(JSON.stringify({ fact, claims: found }));
    console.log(`${fact}: ${data.value} (${data.because})`);
  } else {
    console.log(`${fact}: ${found[0].value}`);
  }
}
