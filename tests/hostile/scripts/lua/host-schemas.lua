-- expect: ok
local deep = { type = "string" }
for _ = 1, 13 do deep = { allOf = { deep, deep } } end
for _, schema in ipairs{ { type = "object", properties = { a = { type = "string", pattern = "^(a+)+$" } } },
  { ["$ref"] = "#" }, { allOf = { { ["$ref"] = "#" } } }, { ["$ref"] = "http://a.invalid/schema" }, { ["$ref"] = "file:///etc/passwd" },
  { type = "object", patternProperties = { ["(x+x+)+y"] = {} } }, { type = "array", uniqueItems = true }, { type = ("x"):rep(1e5) } } do
  pcall(function()
    Tool.register(Tool.create{ name = "checked", description = "d", parameters = schema, execute = function(p) return p end })
    Tool.execute("checked", { a = ("a"):rep(30000) .. "!" })
  end)
  pcall(function() Agent.new{ response_format = schema, output_retries = 1 }:execute("x") end)
end
pcall(Tool.create, { name = "deep", description = "d", parameters = deep, execute = print })
return "contained"
