#!/usr/bin/env llmspell
-- web.lua: look over a web site: its pages, what changed on the first one, how fast it answers
--   llmspell examples/tools/web.lua --site https://example.com/
-- The profile medium lets tools reach public hosts only. Needs: pip install 'llmspell-tools[web]'
local site = args.site or "https://example.com/"
local about = Tool.execute("url-analyzer", { input = site })
print("host", about.host, about.is_secure and "encrypted" or "not encrypted")

-- What robots.txt and the sitemaps name; where there are none, the first page has to do.
local listed = Tool.try("sitemap-crawler", { input = site, max_urls = 5 })
local jobs = {}
for _, page in ipairs(listed.success and listed.output[1] and listed.output or { { url = site } }) do
  jobs[#jobs + 1] = function()
    return Tool.execute("web-scraper", {
      input = page.url, selectors = { headings = "h1, h2" }, extract_links = true,
    })
  end
end
for _, page in ipairs(Async.all(jobs, { concurrency = 2 })) do
  print(page.title, #page.links .. " links", table.concat(page.fields.headings, ", "))
end

-- The last version is kept in State: run it again tomorrow.
local watched = Tool.execute("webpage-monitor", { input = site })
print("changed", watched.first and "first visit" or watched.changed)

local checked = Tool.execute("api-tester", {
  input = site, ["repeat"] = 3, expected_status = 200, assertions = { "elapsed_ms < 5000" },
})
print("answers", checked.succeeded .. " of " .. checked.requests, checked.latency_ms.p95 < 5000)

-- Tell somebody, signed, where there is somebody to tell.
if args.hook then
  local told = Tool.execute("webhook-caller", {
    input = args.hook, payload = { site = site, pages = #jobs }, secret = args.secret,
  })
  print("told", told.delivered, told.body)
end
