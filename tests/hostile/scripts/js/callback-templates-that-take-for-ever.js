// expect: ok
// limits: wall_s = 8
// Expressions of workflows are evaluated by the host: they are cut off, by size and by time.
const texts = [
  "{{ 'x' * 1000000000 }}", "{{ range(1000000000) | list | length }}", "{{ [1] * 1000000000 }}",
  "{% for i in range(100000000) %}x{% endfor %}", "{{ ''.__class__.__mro__ }}", "{{ self.__init__.__globals__ }}",
  "{{ 9 ** 9 ** 9 }}", "{{ ('a' * 1000000) | replace('a', 'b' * 1000000) }}", "{{ 'x' | center(1000000000) }}",
  "{{ cycler.__init__.__globals__.os.popen('id').read() }}", "{{ input | attr('__class__') }}", "{{ lipsum(100000) }}",
  "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}",
  "{{ '%1000000000d' | format(1) }}", "{{ '{:>1000000000}'.format(1) }}", "{{ 'a' | wordwrap(1) | indent(1000000000) }}",
  "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
];
const reached = [];
for (const text of texts) {
  const made = await Workflow.sequential({
    name: "t", steps: [{ name: "s", tool: "text-manipulator", input: { operation: "uppercase", input: text } }],
  });
  try {
    const result = await made.execute({ a: 1 });
    const found = JSON.stringify(result.output ?? "");
    if (/uid=|<CLASS|<class|__GLOBALS__/.test(found) && !found.includes("{{")) reached.push(text);
  } catch {}
}
return reached.length === 0 ? "contained" : "reached " + reached;
