#!/usr/bin/env llmspell
-- run_events.lua: watch a run with two agents while it happens
local billing = Agent.new{ name = "billing", system_prompt = "You answer questions about bills." }
local triage = Agent.new{ name = "triage", system_prompt = "You pass questions on.", handoffs = { billing } }

local run = triage:start("Is my bill paid?")
local answer = {}
for event in run:events() do
  if event.type == "handoff" then
    print(event.agent_path .. " hands over to " .. event.target)
  elseif event.type == "text.delta" then
    -- the deltas of one request are its whole text
    answer[event.request] = (answer[event.request] or "") .. event.text
  elseif event.type == "run.completed" then
    print(event.output.agent .. ": " .. answer[event.request])
  end
end
print(run:status())
