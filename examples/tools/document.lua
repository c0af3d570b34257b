#!/usr/bin/env llmspell
-- document.lua: a spreadsheet, a bibliography, and what a PDF says
--   llmspell examples/tools/document.lua [report.pdf]
-- Spreadsheets and PDF files need: pip install 'llmspell-tools[document]'
local sheet = "output/expenses.xlsx"
local written = Tool.execute("spreadsheet-processor", {
  target_path = sheet,
  rows = {
    March = { { "item", "amount" }, { "tea", 12.5 }, { "cups", 40 } },
    April = { { "item", "amount" }, { "kettle", 99.9 } },
  },
})
print("sheets", table.concat(written.result.sheets, " "))

local total = 0
for _, name in ipairs(written.result.sheets) do
  for _, row in ipairs(Tool.execute("spreadsheet-processor", { input = sheet, sheet = name }).output) do
    total = total + row.amount
  end
end
print("in all", total)
io.write(Tool.execute("spreadsheet-processor", {
  operation = "to_csv", input = sheet, sheet = "April", delimiter = ";",
}).output)

-- BibTeX, YAML or tables in, a list of references out.
local works = [[
@book{knuth, author={Donald Knuth}, title={The Art of Computer Programming}, year=1968,
  publisher={Addison-Wesley}, address={Reading}}
@article{turing, author={Alan M. Turing}, title={On Computable Numbers}, year=1936}
]]
local checked = Tool.execute("citation-formatter", { operation = "validate_bibliography", input = works })
print(checked.text)
for _, style in ipairs{ "apa", "ieee" } do
  local made = Tool.execute("citation-formatter", { input = works, style = style, cite_keys = { "knuth" } })
  print(style, made.result.citations[1].citation, made.output)
end

local report = args[1]
if report then
  local pages = Tool.execute("pdf-processor", { input = report })
  print(pages.result.page_count .. " pages", pages.result.pages[1].text)
  Tool.execute("pdf-processor", {
    operation = "extract_pages", input = report, start_page = 1, end_page = 1,
    target_path = "output/first-page.pdf",
  })
end
