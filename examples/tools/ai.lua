#!/usr/bin/env llmspell
-- ai.lua: letters of customers: what they are about, how they sound, who writes, in one line
--   llmspell examples/tools/ai.lua
-- These tools ask the configured model ([default] model; without one the model on this machine)
-- and give checked data, never free text: an answer that does not fit is asked for again.
local letters = {
  "My invoice of March 3 has the kettle twice. Please correct it. Ada Lovelace, London",
  "The app closes whenever I open my basket! This is the third time. Bob Stone",
}
local labels = {
  billing = "invoices, prices, payments",
  technical = "errors, crashes, slowness",
  other = "everything else",
}

local function read(letter)
  -- Four questions at once, each with a schema of its own.
  return Async.all{
    about = function() return Tool.execute("text-classifier", { input = letter, labels = labels }) end,
    mood = function() return Tool.execute("sentiment-analyzer", { input = letter }) end,
    names = function()
      return Tool.execute("entity-recognizer", { input = letter, labels = { "person", "date" } })
    end,
    short = function()
      return Tool.execute("text-summarizer", { input = letter, style = "headline", max_length = 8 })
    end,
  }
end

for number, letter in ipairs(letters) do
  local found = read(letter)
  local people = {}
  for _, one in ipairs(found.names.output) do
    if one.type == "person" then people[#people + 1] = one.text end
  end
  print(number, found.about.label, found.mood.sentiment, table.concat(people, ", "), found.short.output)
end

-- Vectors whose dot product is the similarity of the texts, where there is a model of embeddings.
local tried = Tool.try("embedding-generator", { input = letters })
if tried.success then
  local a, b, product = tried.output[1], tried.output[2], 0
  for index = 1, #a do product = product + a[index] * b[index] end
  print(("alike %.2f"):format(product))
else
  print("alike", tried.error.code)
end
