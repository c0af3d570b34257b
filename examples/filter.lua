#!/usr/bin/env llmspell
-- filter.lua: a Unix filter. JSON lines in, JSON lines out, what is wrong goes to stderr:
--   printf '{"city":"oslo"}\n' | llmspell filter.lua --field city
local field = args.field or args[1] or "name"
local number = 0
for line in io.lines() do
  number = number + 1
  local ok, record = pcall(JSON.parse, line)
  if ok and type(record) == "table" and record[field] then
    record[field] = Tool.execute("text-manipulator", { operation = "title", input = record[field] }).output
    record.line = number
    print(JSON.stringify(record, { sort_keys = true }))
  else
    io.stderr:write("line ", number, ": no ", field, "\n")
  end
end
return number > 0
