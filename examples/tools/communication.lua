#!/usr/bin/env llmspell
-- communication.lua: what is cheap in the store, told by mail, to Slack and as an issue
--   llmspell examples/tools/communication.lua --db data/shop.db --to ada@example.com
-- Who sends is configured, never in the script: [tools.email-sender] with smtp, SLACK_BOT_TOKEN,
-- GITHUB_TOKEN. Needs: pip install 'llmspell-tools[database,communication]'
local items = args.db and "SELECT name, price FROM items"
  or "SELECT * FROM (SELECT 'cup' AS name, 4 AS price UNION SELECT 'kettle', 29 UNION SELECT 'spoon', 1.5)"
-- Values are bound, so no value can become SQL. Databases are only read unless the policy says so.
local rows = Tool.execute("database-connector", {
  database = args.db or ":memory:",
  query = "SELECT name, price FROM (" .. items .. ") WHERE price < :most ORDER BY name",
  params = { most = tonumber(args.most or "5") },
}).output

local body = Tool.execute("template-creator", {
  input = "{% for row in rows %}- {{ row.name }} for {{ row.price }}\n{% endfor %}",
  context = { rows = rows },
}).output
io.write(body)

local subject = #rows .. " cheap things"
local ways = {
  { name = "mail", tool = "email-sender",
    params = { to = args.to or "ada@example.com", subject = subject, body = body } },
  { name = "slack", tool = "slack-sender",
    params = { channel = args.channel or "#store", input = "*" .. subject .. "*\n" .. body } },
  { name = "issue", tool = "github-client",
    params = { operation = "create_issue", repo = args.repo or "octocat/hello-world",
               title = subject, input = body, labels = { "store" } } },
}
-- One that is not configured does not keep the others from being told.
for _, way in ipairs(ways) do
  local told = Tool.try(way.tool, way.params)
  print(way.name, told.success and "told" or told.error.code)
end
