// expect: ok
// Nothing leaves: neither the loopback nor names that stand for it, and no process is started.
const tries = [
  ["http-request", { url: "http://127.0.0.1:9/" }], ["http-request", { url: "http://[::ffff:127.0.0.1]:9/" }],
  ["http-request", { url: "http://0x7f.1:9/" }], ["http-request", { url: "http://2130706433:9/" }],
  ["http-request", { url: "http://localhost:9/" }], ["http-request", { url: "file:///etc/passwd" }],
  ["process-executor", { command: "id" }], ["process-executor", { command: "/bin/sh", args: ["-c", "id"] }],
  ["process-executor", { executable: "python3", args: ["-c", "print(1)"] }],
  ["environment-reader", { operation: "list" }], ["environment-reader", { operation: "get", name: "PATH" }],
];
const reached = [];
for (const [tool, params] of tries) {
  try {
    const { text, success } = await Tool.execute(tool, params);
    if (success && /root:|uid=|PATH|\/bin/.test(text)) reached.push(tool + ": " + text.slice(0, 60));
    if (success && tool !== "environment-reader") reached.push(tool);
  } catch {}
}
if (process.env.PATH || process.env.HOME === undefined && await Utils.env("PATH")) reached.push("PATH");
return reached.length === 0 ? "contained" : "reached " + reached;
