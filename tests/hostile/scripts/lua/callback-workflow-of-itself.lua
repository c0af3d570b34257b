-- expect: ok
local names = {}
local wf = Workflow.sequential{ name = "itself", steps = { { name = "a", execute = function() return names.wf:execute() end } } }
names.wf = wf
Workflow.register("itself", wf)
local result = wf:execute()
assert(result.success == false)
pcall(function() Workflow.sequential{ name = "other", steps = { { name = "a", workflow = "itself" } } }:execute() end)
return "contained"
