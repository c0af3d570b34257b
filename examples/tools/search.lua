#!/usr/bin/env llmspell
-- search.lua: what is written about something: papers with references, and the web
--   llmspell examples/tools/search.lua "tea polyphenols" --since 2020
-- arXiv, Crossref, PubMed and OpenAlex need no key. The web needs one, TAVILY_API_KEY or
-- another, or a SearXNG of your own: [tools.web-searcher.searxng] base_url = "..."
local question = args[1] or "tea polyphenols"
local found = Tool.execute("academic-searcher", {
  input = question, date_range = (args.since or "2020") .. "..", sort_by = "citations", max_results = 5,
})
-- A source that did not answer is named; the others count.
for _, failed in ipairs(found.failed) do io.stderr:write(failed.source, ": ", failed.message, "\n") end

local entries = {}
for index, work in ipairs(found.output) do
  entries[index] = {
    id = "w" .. index, type = "article", title = work.title, author = work.authors,
    year = work.year, journal = work.venue, doi = work.doi,
  }
end
if #entries > 0 then
  local made = Tool.execute("citation-formatter", { input = entries, style = "apa" })
  print(made.output)
end

-- Providers are asked in turn until one answers.
local web = Tool.try("web-searcher", { input = question, max_results = 3, safe_search = "strict" })
if web.success then
  print("web", web.provider, web.count)
  for _, page in ipairs(web.output) do print(page.title, page.url) end
else
  print("web", web.error.code)
end
