#!/usr/bin/env llmspell
-- research_team.lua: researchers who read different sources at once; where they contradict each other, an arbiter decides
local sources = {
  press = "The Kettle Ltd annual dinner: 120 guests. The firm sold 900 kettles and has 40 employees.",
  register = "Kettle Ltd, founded 1987, 38 employees, 900 kettles sold.",
}
local findings = {
  type = "object",
  properties = { claims = { type = "array", items = {
    type = "object",
    properties = { fact = { type = "string" }, value = { type = "string" } },
    required = { "fact", "value" },
  } } },
  required = { "claims" },
}
local verdict = {
  type = "object",
  properties = { value = { type = "string" }, because = { type = "string" } },
  required = { "value", "because" },
}

local function researcher(source)
  return Agent.new{
    name = source .. "-researcher",
    system_prompt = "List what the source says as facts with values: employees, sold, founded.\n\n" .. sources[source],
    response_format = findings,
  }
end
local names = { "press", "register" }
local found = Async.all{
  function() return researcher("press"):execute("What is known of Kettle Ltd?").data.claims end,
  function() return researcher("register"):execute("What is known of Kettle Ltd?").data.claims end,
}

-- Who says what of each fact; the code finds the contradictions, no model has to.
local facts, said = {}, {}
for i, claims in ipairs(found) do
  for _, claim in ipairs(claims) do
    if not said[claim.fact] then said[claim.fact], facts[#facts + 1] = {}, claim.fact end
    table.insert(said[claim.fact], { source = names[i], value = claim.value })
  end
end

local arbiter = Agent.new{
  name = "arbiter",
  system_prompt = "Two sources contradict each other. Choose the value to believe: a register before the press.",
  response_format = verdict,
}
for _, fact in ipairs(facts) do
  local claims = said[fact]
  if #claims == 2 and claims[1].value ~= claims[2].value then
    local chosen = arbiter:execute(JSON.stringify{ fact = fact, claims = claims }).data
    print(fact .. ": " .. chosen.value .. " (" .. chosen.because .. ")")
  else
    print(fact .. ": " .. claims[1].value)
  end
end
