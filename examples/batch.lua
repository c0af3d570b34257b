#!/usr/bin/env llmspell
-- batch.lua: one agent, many inputs, some at a time
local rates = { EUR = 1.08, GBP = 1.27 }

-- deps reach the agent's code and its tools; no model sees them
local convert = Agent.new{
  name = "convert",
  deps = rates,
  execute = function(input, ctx)
    local amount, currency = input:match("([%d.]+) (%u+)")
    local rate = ctx.deps[currency]
    if not rate then error("no rate for " .. currency) end
    return ("%s is %.2f USD"):format(input, amount * rate)
  end,
}

-- the outputs stand in the order of the inputs; a failed one costs only itself
local outputs = convert:batch({ "10 EUR", "5 XYZ", "2.50 GBP" }, { concurrency = 2 })
for i, out in ipairs(outputs) do
  print(i, out.error and out.error.message or out.text)
end

-- stopped, it takes no more
print(convert:stop())
print(select(2, pcall(convert.execute, "1 EUR")).code)
