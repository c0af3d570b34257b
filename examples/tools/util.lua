#!/usr/bin/env llmspell
-- util.lua: the notes of a release, made of small tools that compute only
--   llmspell examples/tools/util.lua 2026-03-01
local day = args[1] or "2026-03-01"
local before = { teapot = "1.2", kettle = "2.0", spoon = "0.9" }
local after = { teapot = "1.3", kettle = "2.0", cup = "0.1" }

local diff = Tool.execute("diff-calculator", { old_json = before, new_json = after, format = "changes" })
local words = { add = "new", remove = "gone", replace = "changed" }
local changes = {}
for _, change in ipairs(diff.output) do
  changes[#changes + 1] = { name = change.path:sub(2), word = words[change.op], version = change.new }
end
table.sort(changes, function(a, b) return a.name < b.name end)

local due = Tool.execute("datetime-handler", { operation = "add", input = day, amount = 6, unit = "weeks" })
local date = Tool.execute("datetime-handler", {
  operation = "format", input = due.output, format = "%d %B %Y",
}).output

local title = "Tea & more, the " .. Tool.execute("text-manipulator", {
  operation = "title", input = "spring release",
}).output
local notes = Tool.execute("template-creator", {
  input = [[
# {{ title }}
{% for c in changes -%}
- {{ c.name }}{{ " " ~ c.version if c.version }} ({{ c.word }})
{% endfor -%}
Next release: {{ date }}]],
  context = { title = title, changes = changes, date = date },
}).output
print(notes)

local slug = Tool.execute("text-manipulator", { operation = "slugify", input = title }).output
local digest = Tool.execute("hash-calculator", { input = notes, algorithm = "blake3" }).output
-- The same name gives the same id, on every machine.
local id = Tool.execute("uuid-generator", { version = "v5", namespace = "url", name = slug }).output
print(slug, digest:sub(1, 8), id)

-- Whole numbers have any size.
print(Tool.execute("calculator", { input = "2^80 + 1" }).text)
