// expect: ok
// limits: wall_s = 8
// Work that the host does for a script: it is refused by size, and never in the host's way.
const text = "a".repeat(30000) + "!", big = "a".repeat(2e5);
const tries = [
  ["calculator", { input: "9**9**9**9" }], ["calculator", { input: "factorial(100000)" }],
  ["calculator", { input: "(".repeat(4000) + "1" + ")".repeat(4000) }], ["calculator", { input: "10**4000*10**4000" }],
  ["json-processor", { operation: "parse", input: "[".repeat(1e5) }],
  ["json-processor", { operation: "parse", input: "1".repeat(1e5) }],
  ["toml-processor", { operation: "parse", input: "a=" + "[".repeat(50000) }],
  ["yaml-processor", { operation: "parse", input: "a: &a [x,x]\nb: [*a,*a]\n".repeat(2) }],
  ["text-manipulator", { operation: "replace", input: text, pattern: "^(a+)+$", replacement: "b" }],
  ["text-manipulator", { operation: "replace", input: big, pattern: "a", replacement: big }],
  ["text-manipulator", { operation: "extract", input: text, pattern: "(a|aa)+$" }],
  ["data-validator", { input: { x: text }, rules: { x: { pattern: "^(a+)+$" } } }],
  ["data-validator", { input: { x: text + "@" }, rules: { x: { type: "email" } } }],
  ["datetime-handler", { operation: "add", input: "2020-01-01", amount: 1e308, unit: "years" }],
  ["datetime-handler", { operation: "parse", input: "1 ".repeat(20000) }],
  ["uuid-generator", { operation: "generate", count: 1e9 }], ["base64-encoder", { operation: "decode", input: "=".repeat(1e5) }],
  ["template-creator", { template: "{{ range(999999999)|list }}{{ 'x' * 999999999 }}", values: {} }],
  ["template-creator", { template: "{{ " + "(".repeat(5000) + "1" + ")".repeat(5000) + " }}", values: {} }],
  ["template-creator", { template: "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", values: {} }],
  ["diff-calculator", { old_text: "a\nb\n".repeat(5000), new_text: "b\na\nc\n".repeat(5000) }],
];
let failed = 0;
for (const [tool, params] of tries) {
  try { await Tool.execute(tool, params); } catch { failed++; }
}
return failed >= 10 ? "contained" : "only " + failed + " failed";
