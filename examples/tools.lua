#!/usr/bin/env llmspell
-- tools.lua: call tools from a script; no model is needed
local sum = Tool.execute("calculator", { input = "(2 + 3) * 8.4" })
print("calculated", sum.output)

-- Tool["name"] is the same tool as an object; fields of a result are readable on it
local id = Tool["uuid-generator"]:execute{ version = "v5", namespace = "dns", name = "example.org" }
print("named id", id.uuid)

-- A failure is thrown. Tool.try gives it back instead.
local tried = Tool.try("json-processor", { operation = "query", input = "[1, 2", query = "length" })
print("tried", tried.success, tried.error.code)

-- A pipe hands each output to the next tool as its input.
local shout = Tool.pipe{
  { tool = "template-creator", params = { context = { name = "spell" } } },
  { tool = "text-manipulator", params = { operation = "uppercase" } },
}
print("piped", shout:execute{ input = "hello, {{ name }}!" }.text)

for _, tool in ipairs(Tool.list("util")) do
  io.write(tool.name, " ")
end
print()
