-- expect: ok
local cyclic = {}
cyclic.me = cyclic
local function run(step) return pcall(function() return Workflow.sequential{ steps = { step } }:execute{ input = 1 } end) end
run{ name = "a", execute = function() return cyclic end }
run{ name = "a", execute = function() error(cyclic) end }
run{ name = "a", execute = function() return { success = "no", output = 0 / 0 } end }
run{ name = ("a"):rep(1e5), execute = function() end }
run{ name = "a", execute = function() error("x") end, on_error = function() return { retry = true } end, retry = { max_attempts = 5, backoff_ms = 0 } }
run{ name = "a", tool = "calculator", input = function() error("y") end }
run{ name = "a", execute = print, when = "{{" .. ("("):rep(1e4) }
run{ name = "a", execute = print, when = ("not "):rep(1e5) .. "true" }
return "contained"
