#!/usr/bin/env llmspell
-- content_pipeline.lua: research, write, review; what the reviewer refuses is written again
local researcher = Agent.new{
  name = "researcher",
  system_prompt = "List three facts about the topic, one a line.",
}
local writer = Agent.new{
  name = "writer",
  system_prompt = "Write one paragraph from the notes, and nothing that is not in them.",
}
local reviewer = Agent.new{
  name = "reviewer",
  system_prompt = "You check a paragraph against the notes it was made from.",
  response_format = {
    type = "object",
    properties = { good = { type = "boolean" }, remarks = { type = "string" } },
    required = { "good", "remarks" },
  },
}

local pipeline = Workflow.sequential{
  name = "article",
  steps = {
    { name = "notes", agent = researcher, input = "{{input.topic}}" },
    { name = "draft", agent = writer, input = "Notes:\n{{steps.notes.output}}" },
    {
      name = "final",
      execute = function(ctx)
        local notes, text = ctx.steps.notes.output, ctx.steps.draft.output
        for round = 1, 3 do
          local review = reviewer:execute("Notes:\n" .. notes .. "\n\nParagraph:\n" .. text).data
          if review.good then return { text = text, rounds = round } end
          print("round " .. round .. ": " .. review.remarks)
          local again = "Notes:\n" .. notes .. "\n\nYour paragraph:\n" .. text
          text = writer:execute(again .. "\n\nWrite it again: " .. review.remarks).text
        end
        return { success = false, error = "the reviewer was never content" }
      end,
    },
  },
}

local result = pipeline:execute_or_throw{ topic = args[1] or "kettles" }
print(result.output.text)
