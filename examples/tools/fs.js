#!/usr/bin/env llmspell
// fs.js: search logs, write a report about them, pack them up
//   llmspell examples/tools/fs.js
// The profile medium lets tools write below ./output, and read the working directory.
const logs = {
  "web.log": "start\nerror: disk full\nerror: disk full\nstop\n",
  "db.log": "start\nwarning: slow\nerror: no index\n",
};
const files = Tool["file-operations"];
await Promise.all(Object.entries(logs).map(([name, input]) =>
  files.execute({ operation: "write", path: `output/logs/${name}`, input })));

// Patterns are RE2: no text can make them run for long.
const found = await Tool.execute("file-search", {
  path: "output/logs", pattern: String.raw`error: (\w+ \w+)`, useRegex: true,
});
console.log("errors", found.count, "in files", found.filesMatched);

const counts = new Map();
for (const { text } of found.output) counts.set(text, (counts.get(text) ?? 0) + 1);
const lines = [...counts].sort().map(([text, count]) => `${count}x ${text}\n`);
await files.execute({ operation: "write", path: "output/report.txt", input: lines.join("") });
print((await files.execute({ operation: "read", path: "output/report.txt" })).output.trimEnd());

// For colleagues on Windows, in a copy.
await Tool.execute("file-converter", {
  operation: "line_endings", lineEnding: "crlf",
  path: "output/report.txt", targetPath: "output/report-windows.txt",
});

const packed = await Tool.execute("archive-handler", {
  operation: "create", archivePath: "output/logs.zip", sourcePath: "output/logs",
});
console.log("packed", packed.files.join(" "));

// What the profile does not allow fails, and says why.
const tried = await Tool.try("file-operations", { operation: "read", path: "/etc/shadow" });
console.log("outside", tried.success, tried.error.code);
