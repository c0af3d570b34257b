// expect: ok
// limits: wall_s = 8
// Nothing leaves: neither the loopback nor names that stand for it, and no process is started.
const urls = [
  "http://127.0.0.1:9/", "http://[::ffff:127.0.0.1]:9/", "http://0x7f.1:9/", "http://2130706433:9/", "http://0:9/",
  "http://localhost:9/", "http://127.1:9/", "http://[::1]:9/", "file:///etc/passwd", "gopher://127.0.0.1:9/_x",
];
const tries = [
  ["process-executor", { command: "id" }], ["process-executor", { executable: "/bin/sh", args: ["-c", "id"] }],
  ["environment-reader", { operation: "list" }],
  ["template-creator", { template: "{{ cycler.__init__.__globals__.os.environ }}", values: {} }],
  ["template-creator", { template: "{% include '/etc/passwd' %}{% import 'os' as o %}", values: {} }],
  ["yaml-processor", { operation: "parse", input: "!!python/object/apply:os.system ['id']" }],
  ["xml-processor", { operation: "parse", input: '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>' }],
];
for (const url of urls) {
  tries.push(["http-requester", { url }], ["web-scraper", { url }], ["webhook-caller", { url, payload: {} }]);
}
const reached = [];
for (const [tool, params] of tries) {
  try {
    const { text } = await Tool.execute(tool, params);
    // A few variables have names that the profile knows; the others do not exist.
    if (tool !== "environment-reader" || /PATH|\/bin/.test(text)) reached.push(tool + ": " + String(text).slice(0, 60));
  } catch {}
}
if (process.env.PATH || await Utils.env("PATH")) reached.push("PATH");
return reached.length === 0 ? "contained" : "reached " + reached;
