#!/usr/bin/env llmspell
// communication.js: what is cheap in the store, told by mail, to Slack and as an issue
//   llmspell examples/tools/communication.js --db data/shop.db --to ada@example.com
// Who sends is configured, never in the script: [tools.email-sender] with smtp, SLACK_BOT_TOKEN,
// GITHUB_TOKEN. Needs: pip install 'llmspell-tools[database,communication]'
const items = args.db
  ? "SELECT name, price FROM items"
  : "SELECT * FROM (SELECT 'cup' AS name, 4 AS price UNION SELECT 'kettle', 29 UNION SELECT 'spoon', 1.5)";
// Values are bound, so no value can become SQL. Databases are only read unless the policy says so.
const { rows } = await Tool.execute("database-connector", {
  database: args.db ?? ":memory:",
  query: `SELECT name, price FROM (${items}) WHERE price < :most ORDER BY name`,
  params: { most: Number(args.most ?? 5) },
});

const { output: body } = await Tool.execute("template-creator", {
  input: "{% for row in rows %}- {{ row.name }} for {{ row.price }}\n{% endfor %}",
  context: { rows },
});
print(body.trimEnd());

const subject = `${rows.length} cheap things`;
const ways = {
  mail: ["email-sender", { to: args.to ?? "ada@example.com", subject, body }],
  slack: ["slack-sender", { channel: args.channel ?? "#store", input: `*${subject}*\n${body}` }],
  issue: ["github-client", {
    operation: "create_issue", repo: args.repo ?? "octocat/hello-world",
    title: subject, input: body, labels: ["store"],
  }],
};
// One that is not configured does not keep the others from being told.
for (const [name, [tool, params]] of Object.entries(ways)) {
  const told = await Tool.try(tool, params);
  console.log(name, told.success ? "told" : told.error.code);
}
