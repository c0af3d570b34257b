#!/usr/bin/env llmspell
-- concurrency.lua: many things at once, without callbacks
local function work(name, ms)
  return function()
    Async.sleep(ms)
    return name .. " after " .. ms .. " ms"
  end
end

-- all: results in the order given, in the time of the slowest
for _, line in ipairs(Async.all{ work("a", 30), work("b", 10), work("c", 20) }) do
  print(line)
end

-- race: the first one wins, the others are cancelled
print("first", Async.race{ work("slow", 500), work("quick", 5) })

-- a task goes on beside the main chunk; errors come out where it is awaited
local task = Async.spawn(function()
  return Tool.execute("hash-calculator", { input = "llmspell" }).output
end)
local ok, err = pcall(Async.timeout, 5, work("late", 1000))
print("timeout", ok, err.code)
print("hash", task:await():sub(1, 8))

-- at most two at the same time
local jobs = {}
for i = 1, 6 do
  jobs[i] = function() return Tool.execute("calculator", { input = i .. "^2" }).output end
end
print("squares", table.concat(Async.all(jobs, { concurrency = 2 }), " "))
