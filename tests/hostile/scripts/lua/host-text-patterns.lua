-- expect: ok
-- limits: wall_s = 10
local text = ("a"):rep(1e5) .. "!"
for _, pattern in ipairs{ "(a+)+$", "(a|a)*$", "(.*a){20}", "((a{0,1000}){0,1000}){0,1000}", ("("):rep(1e4), "\\1(a)", "(?=a)*", ("a?"):rep(2000) .. ("a"):rep(2000) } do
  for _, operation in ipairs{ "regex", "regex_replace", "replace", "extract", "match", "split" } do
    pcall(Tool.execute, "text-manipulator", { operation = operation, input = text, text = text, pattern = pattern, search = pattern, replacement = "\\0\\1", options = { pattern = pattern } })
  end
end
return "contained"
