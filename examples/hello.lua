#!/usr/bin/env llmspell
-- hello.lua: the model on this machine answers, and may use a tool
local agent = Agent.new{ system_prompt = "Answer in one short sentence.", tools = { "calculator" } }
print(agent:execute("What is 23 * 19?").text)
