-- expect: script.wall_limit | script.cpu_limit | agent.timeout
-- limits: wall_s = 0.6
-- An agent made of code, handing over to itself.
local agent
agent = Agent.new{ name = "round", execute = function(input) return { handoff_request = { target = "round", input = input } } end }
pcall(agent.execute, agent, "x")
agent = Agent.new{ name = "stays", execute = function() Async.sleep(1e9) end }
agent:execute("x")
