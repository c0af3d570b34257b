#!/usr/bin/env llmspell
-- state.lua: what a spell keeps from one run to the next
local runs = State.increment("runs", 1)
print("this is run " .. runs)

-- update reads, changes and writes; it repeats when somebody else wrote meanwhile
local last = State.update("history", function(history)
  history = history or {}
  table.insert(history, { run = runs, at = os.date("!%Y-%m-%d") })
  return history
end)
print("remembered", #last)

-- several keys at once, all or none
State.transaction(function(tx)
  tx:set("first", tx:get("first") or runs)
  tx:set("latest", runs)
end)
print("first", State.get("first"), "latest", State.get("latest"))

if args.reset then
  for _, key in ipairs(State.keys()) do
    State.delete(key)
  end
  print("forgotten")
end
