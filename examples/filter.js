#!/usr/bin/env llmspell
// filter.js: a Unix filter. JSON lines in, JSON lines out, what is wrong goes to stderr:
//   printf '{"city":"oslo"}\n' | llmspell filter.js --field city
const field = args.field ?? args[1] ?? "name";
let number = 0;

function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

for await (const line of stdin.lines()) {
  number += 1;
  const record = parsed(line);
  if (record?.[field]) {
    const title = await Tool.execute("text-manipulator", { operation: "title", input: record[field] });
    console.log(JSON.encode({ ...record, [field]: title.output, line: number }, { sortKeys: true }));
  } else {
    console.error(`line ${number}: no ${field}`);
  }
}
export default number > 0;
