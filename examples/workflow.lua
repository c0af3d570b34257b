#!/usr/bin/env llmspell
-- workflow.lua: steps in order; each one's input may name what came before it
local report = Workflow.sequential{
  name = "report",
  steps = {
    {
      name = "words",
      tool = "text-manipulator",
      input = { operation = "word_count", input = "{{input.text}}" },
    },
    {
      name = "grade",
      execute = function(ctx)
        local count = tonumber(ctx.steps.words.output)
        return count > 8 and "long" or "short"
      end,
    },
    {
      name = "sum",
      tool = "calculator",
      when = "steps.grade.output == 'long'",
      input = { input = "{{steps.words.output}} * 0.4" },
      retry = { max_attempts = 2, backoff_ms = 10 },
    },
    {
      name = "write",
      type = "template",
      template = "A {{steps.grade.output}} text: {{steps.words.output}} words, {{steps.sum.output}} s to read.",
    },
  },
  on_step_complete = function(name, result)
    print(name, result.success)
  end,
}

local result = report:execute{ text = "These nine words are what the text consists of." }
print(result.output)
print(result.success, result.metadata.steps_executed)
