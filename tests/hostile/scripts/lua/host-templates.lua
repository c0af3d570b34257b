-- expect: ok
for _, template in ipairs{ "{% for i in range(999999999) %}x{% endfor %}", "{{ 'x' * 999999999 }}", "{{ 9 ** 9 ** 9 }}", "{{ ''.__class__.__mro__ }}",
  "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{% include '/etc/passwd' %}", ("{{"):rep(1e5), ("{{ x "):rep(1e4), ("{{'"):rep(1e5), "{{" .. (" "):rep(1e5) .. "x",
  "{{ " .. ("["):rep(1e4), "{{ 'a'|center(999999999) }}", "{{ lipsum(n=999999) }}", "{{ cycler.__init__.__globals__ }}", "{{ '%999999999d' % 1 }}" } do
  pcall(Tool.execute, "template-creator", { template = template, input = template, variables = { x = 1 } })
  pcall(function() Workflow.sequential{ steps = { { name = "a", tool = "calculator", input = { input = template } } } }:execute() end)
  pcall(function() Agent.new{ system_prompt = { template = template, variables = {} } }:execute("x") end)
end
return "contained"
