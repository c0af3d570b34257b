-- expect: script.wall_limit | script.cpu_limit | script.host_calls_limit
-- limits: wall_s = 0.6
local step = { name = "a", execute = function() error("again") end, on_error = function() return { retry = true } end }
while true do pcall(function() Workflow.sequential{ steps = { step, step } }:execute() end) end
