#!/usr/bin/env llmspell
// data.js: from a messy CSV to a checked summary, in four steps
//   llmspell examples/tools/data.js
const orders = `order;customer;city;amount
1;ada@example.com;London;120.50
2;bob@example;Oslo;80
3;eve@example.com;London;19.99
4;dan@example.com;Oslo;200
`;

// 1. The delimiter and the types of the columns are found out.
const rows = (await Tool.execute("csv-analyzer", { operation: "read", input: orders })).output;
console.log("rows", rows.length, "amount is a", typeof rows[0].amount);

// 2. Rules say what a row must look like; each mistake has its path.
const rules = { customer: "email", amount: { type: "number", min: 0 } };
const good = [];
for (const row of rows) {
  const checked = await Tool.execute("data-validator", { input: row, rules });
  if (checked.valid) good.push(row);
  else console.log(`order ${row.order}`, checked.text);
}

// 3. Steps, each with expressions on the fields of a row.
const byCity = await Tool.execute("data-transformer", {
  input: good,
  operations: [
    { type: "extend", fields: { gross: "round(amount * 1.2, 2)" } },
    { type: "group_by", by: "city", aggregations: { total: "sum(gross)" } },
    { type: "sort", by: "-total" },
  ],
});
for (const { city, count, total } of byCity.output) console.log(city, count, total);

// 4. The same question in SQL, straight from the text.
const [top] = (await Tool.execute("csv-analyzer", {
  input: orders,
  query: "SELECT city, max(amount) AS top FROM data GROUP BY city ORDER BY top DESC LIMIT 1",
})).output;
const yaml = await Tool.execute("yaml-processor", { operation: "generate", input: { best: top } });
print(yaml.text.trimEnd());
