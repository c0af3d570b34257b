#!/usr/bin/env llmspell
-- fs.lua: search logs, write a report about them, pack them up
--   llmspell examples/tools/fs.lua
-- The profile medium lets tools write below ./output, and read the working directory.
local logs = {
  ["web.log"] = "start\nerror: disk full\nerror: disk full\nstop\n",
  ["db.log"] = "start\nwarning: slow\nerror: no index\n",
}
for name, text in pairs(logs) do
  Tool.execute("file-operations", { operation = "write", path = "output/logs/" .. name, input = text })
end

-- Patterns are RE2: no text can make them run for long.
local found = Tool.execute("file-search", {
  path = "output/logs", pattern = [[error: (\w+ \w+)]], use_regex = true,
})
print("errors", found.result.count, "in files", found.result.files_matched)

local lines, counts = {}, {}
for _, match in ipairs(found.output) do
  if not counts[match.text] then lines[#lines + 1] = match.text end
  counts[match.text] = (counts[match.text] or 0) + 1
end
table.sort(lines)
for index, line in ipairs(lines) do lines[index] = counts[line] .. "x " .. line end
Tool.execute("file-operations", {
  operation = "write", path = "output/report.txt", input = table.concat(lines, "\n") .. "\n",
})
io.write(Tool.execute("file-operations", { operation = "read", path = "output/report.txt" }).output)

-- For colleagues on Windows, in a copy.
Tool.execute("file-converter", {
  operation = "line_endings", line_ending = "crlf",
  path = "output/report.txt", target_path = "output/report-windows.txt",
})

local packed = Tool.execute("archive-handler", {
  operation = "create", archive_path = "output/logs.zip", source_path = "output/logs",
})
print("packed", table.concat(packed.result.files, " "))

-- What the profile does not allow fails, and says why.
local tried = Tool.try("file-operations", { operation = "read", path = "/etc/shadow" })
print("outside", tried.success, tried.error.code)
