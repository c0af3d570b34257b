-- expect: ok
-- Endless queries have a deadline of their own, in which the wall time stands still.
for _, query in ipairs{ "[range(1e9)]", "env", "input", "\"\\(env)\"", ("."):rep(1e5), ("("):rep(1e5), "include \"a\"; ." } do
  local ok, found = pcall(Tool.execute, "json-processor", { operation = "query", input = { 1, 2 }, query = query })
  assert(not ok or #tostring(found.text) < 2e6, query:sub(1, 20))
end
return "contained"
