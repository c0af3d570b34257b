#!/usr/bin/env llmspell
// system.js: is this machine well, and do its services answer?
//   llmspell examples/tools/system.js 127.0.0.1:5432 https://example.com/health
// Loopback and private addresses answer only where the configuration names them:
//   [security.network] allowed_hosts = ["127.0.0.1"]
// Needs: pip install 'llmspell-tools[system]'
const stats = (await Tool.execute("system-monitor", { operation: "stats" })).result;
const limits = { cpu_percent: 95, memory_percent: 90, disk_percent: 90 };
for (const [name, limit] of Object.entries(limits)) {
  const value = stats[name];
  console.log(name, value == null ? "unknown" : value < limit ? "fine" : `high: ${value}`);
}

// All services at once. One that does not answer is a result; one that may not be asked, an error.
const targets = [...args].filter(Boolean);
const checks = await Promise.all(targets.map((target) =>
  Tool.try("service-checker", { target, timeoutMs: 3000 })));
checks.forEach(({ success, output, error }, index) =>
  console.log(targets[index], success ? (output ? "up" : "down") : error.code));

// A variable that the profile does not name looks as if it were not set.
for (const name of ["LANG", "AWS_SECRET_ACCESS_KEY"]) {
  console.log(name, (await Tool.execute("environment-reader", { variableName: name })).set);
}

// Programs run without a shell, and only those that [security.processes] allowed lists.
const uptime = await Tool.try("process-executor", { executable: "uptime", arguments: ["-p"] });
console.log("uptime", uptime.success ? uptime.output : uptime.error.code);
export default checks.every(({ success, output }) => success && output);
