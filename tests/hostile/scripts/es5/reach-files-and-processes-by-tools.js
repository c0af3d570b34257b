// expect: ok
var reached = [], tries = [
  ["file-operations", { operation: "read", path: "/etc/passwd" }],
  ["file-operations", { operation: "read", path: "../../../../../../etc/passwd" }],
  ["file-operations", { operation: "read", path: "/proc/self/environ" }],
  ["process-executor", { command: "id" }], ["process-executor", { executable: "/bin/sh", args: ["-c", "id"] }],
  ["http-request", { url: "http://127.0.0.1:9/" }], ["http-request", { url: "http://[::1]:9/" }],
];
tries.forEach(function (one) {
  try {
    var found = Tool.execute(one[0], one[1]);
    if (found.success) reached.push(one[0] + ": " + String(found.text).slice(0, 50));
  } catch (e) {}
});
return reached.length === 0 ? "contained" : reached.join("\n");
