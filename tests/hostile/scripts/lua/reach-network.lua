-- expect: ok
-- The rig allows no host: a name is refused before it is looked up.
for _, name in ipairs{ "http-request", "web-scraper", "api-tester", "webhook-caller", "sitemap-crawler", "url-analyzer" } do
  for _, url in ipairs{ "http://a.invalid/", "http://user:pw@a.invalid:22/", "file:///etc/passwd", "gopher://a.invalid/", "http://a.invalid\r\nX: y/" } do
    local ok, found = pcall(Tool.execute, name, { url = url, input = url, method = "GET", operation = "get" })
    assert(not ok or not tostring(found.text):find("root:"), name .. url)
  end
end
return "contained"
