#!/usr/bin/env llmspell
// util.js: the notes of a release, made of small tools that compute only
//   llmspell examples/tools/util.js 2026-03-01
const day = args[1] ?? "2026-03-01";
const before = { teapot: "1.2", kettle: "2.0", spoon: "0.9" };
const after = { teapot: "1.3", kettle: "2.0", cup: "0.1" };

const diff = await Tool.execute("diff-calculator", { oldJson: before, newJson: after, format: "changes" });
const words = { add: "new", remove: "gone", replace: "changed" };
const changes = diff.output
  .map((change) => ({ name: change.path.slice(1), word: words[change.op], version: change.new }))
  .sort((a, b) => (a.name < b.name ? -1 : 1));

const dates = Tool["datetime-handler"];
const due = await dates.execute({ operation: "add", input: day, amount: 6, unit: "weeks" });
const date = (await dates.execute({ operation: "format", input: due.output, format: "%d %B %Y" })).output;

const text = Tool["text-manipulator"];
const season = await text.execute({ operation: "title", input: "spring release" });
const title = `Tea & more, the ${season.output}`;
const notes = (await Tool.execute("template-creator", {
  input: `# {{ title }}
{% for c in changes -%}
- {{ c.name }}{{ " " ~ c.version if c.version }} ({{ c.word }})
{% endfor -%}
Next release: {{ date }}`,
  context: { title, changes, date },
})).output;
console.log(notes);

const [slug, digest] = await Promise.all([
  text.execute({ operation: "slugify", input: title }),
  Tool.execute("hash-calculator", { input: notes, algorithm: "blake3" }),
]);
// The same name gives the same id, on every machine.
const id = await Tool.execute("uuid-generator", { version: "v5", namespace: "url", name: slug.output });
console.log(slug.output, digest.output.slice(0, 8), id.output);

// Whole numbers have any size.
console.log((await Tool.execute("calculator", { input: "2^80 + 1" })).text);
