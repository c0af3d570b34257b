#!/usr/bin/env llmspell
-- tracing.lua: see what ran below what, without any server
Hook.enable("tracing")

local totals = Workflow.sequential{
  name = "totals",
  steps = {
    { name = "add", tool = "calculator", parameters = { input = "19 + 23" } },
    { name = "late", when = "false", tool = "calculator", parameters = { input = "1" } },
    { name = "double", tool = "calculator", parameters = { input = "{{ steps.add.output }} * 2" } },
  },
}
totals:execute{}
Tool.try("calculator", { input = "1 / 0" })

local spans, below = Hook.get_stats().builtin.tracing.spans, {}
for _, span in ipairs(spans) do
  local parent = span.parent_id or "none"
  below[parent] = below[parent] or {}
  table.insert(below[parent], span)
end

local function show(parent, indent)
  table.sort(below[parent] or {}, function(a, b) return a.start_time < b.start_time end)
  for _, span in ipairs(below[parent] or {}) do
    local about = span.attributes
    local note = about["error.type"] or about["llmspell.step.skipped_reason"] or "ok"
    print(indent .. span.name .. ": " .. note)
    show(span.span_id, indent .. "  ")
  end
end
show("none", "")
