#!/usr/bin/env llmspell
-- data.lua: from a messy CSV to a checked summary, in four steps
--   llmspell examples/tools/data.lua
local orders = [[
order;customer;city;amount
1;ada@example.com;London;120.50
2;bob@example;Oslo;80
3;eve@example.com;London;19.99
4;dan@example.com;Oslo;200
]]

-- 1. The delimiter and the types of the columns are found out.
local rows = Tool.execute("csv-analyzer", { operation = "read", input = orders }).output
print("rows", #rows, "amount is a", math.type(rows[1].amount))

-- 2. Rules say what a row must look like; each mistake has its path.
local good = {}
for _, row in ipairs(rows) do
  local checked = Tool.execute("data-validator", {
    input = row, rules = { customer = "email", amount = { type = "number", min = 0 } },
  })
  if checked.valid then
    good[#good + 1] = row
  else
    print("order " .. row.order, checked.text)
  end
end

-- 3. Steps, each with expressions on the fields of a row.
local by_city = Tool.execute("data-transformer", {
  input = good,
  operations = {
    { type = "extend", fields = { gross = "round(amount * 1.2, 2)" } },
    { type = "group_by", by = "city", aggregations = { total = "sum(gross)" } },
    { type = "sort", by = "-total" },
  },
}).output
for _, group in ipairs(by_city) do print(group.city, group.count, group.total) end

-- 4. The same question in SQL, straight from the text.
local top = Tool.execute("csv-analyzer", {
  input = orders,
  query = "SELECT city, max(amount) AS top FROM data GROUP BY city ORDER BY top DESC LIMIT 1",
}).output[1]
io.write(Tool.execute("yaml-processor", { operation = "generate", input = { best = top } }).text)
