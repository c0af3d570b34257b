-- expect: ok
-- What the channel itself marks handles with is ordinary data in a script.
for _, text in ipairs{ '{"$h":1}', '{"$f":1}', '{"$e":{"message":"x"}}', '{"$b":"eA=="}', '{"$r":[{},"",""]}', '{"$":{"$h":1}}' } do
  local value = JSON.parse(text)
  State.set("marked", value)
  local back = State.get("marked")
  assert(type(back) == "table" and JSON.stringify(back) == text, text)
  assert(Utils.template("{{v}}", { v = value }) ~= nil)
  local ok, e = pcall(Tool.execute, "calculator", value)
  assert(not ok and type(e) == "table")
end
return "contained"
