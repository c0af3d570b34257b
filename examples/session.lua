#!/usr/bin/env llmspell
-- session.lua: the conversation of the last run goes on; `llmspell session list` shows it
local agent = Agent.new{ name = "companion", system_prompt = "Answer in one short sentence." }
local session = "companion-" .. (args[1] or "default")

Session.set_current(session)
local before = #agent:history()
print(agent:chat(args[2] or "Remember that my parcel goes to Oslo."))

agent:remember("last", os.date and os.date("!%Y-%m-%d") or "today")
print(before .. " messages before, " .. #agent:history() .. " now")
