#!/usr/bin/env llmspell
-- system.lua: is this machine well, and do its services answer?
--   llmspell examples/tools/system.lua 127.0.0.1:5432 https://example.com/health
-- Loopback and private addresses answer only where the configuration names them:
--   [security.network] allowed_hosts = ["127.0.0.1"]
-- Needs: pip install 'llmspell-tools[system]'
local stats = Tool.execute("system-monitor", { operation = "stats" }).result
local limits = { cpu_percent = 95, memory_percent = 90, disk_percent = 90 }
for _, name in ipairs{ "cpu_percent", "memory_percent", "disk_percent" } do
  local value = stats[name]
  print(name, value and (value < limits[name] and "fine" or "high: " .. value) or "unknown")
end

-- All services at once. One that does not answer is a result; one that may not be asked, an error.
local checks = {}
for _, target in ipairs(args) do
  checks[#checks + 1] = function()
    return Tool.try("service-checker", { target = target, timeout_ms = 3000 })
  end
end
local down = 0
for index, check in ipairs(Async.all(checks)) do
  local up = check.success and check.output
  print(args[index], up and "up" or check.success and "down" or check.error.code)
  if not up then down = down + 1 end
end

-- A variable that the profile does not name looks as if it were not set.
for _, name in ipairs{ "LANG", "AWS_SECRET_ACCESS_KEY" } do
  print(name, Tool.execute("environment-reader", { variable_name = name }).set)
end

-- Programs run without a shell, and only those that [security.processes] allowed lists.
local uptime = Tool.try("process-executor", { executable = "uptime", arguments = { "-p" } })
print("uptime", uptime.success and uptime.output or uptime.error.code)
return down == 0
