-- The first file of the prelude: private copies of the libraries, and `import` for the others.
--
-- The prelude is loaded stripped of its line numbers, on purpose: errors that C functions raise
-- under it carry no position of ours, and "the first frame with a line" is always the script's.
-- All its files share one private environment, so a script that overwrites `pcall`, `string` or
-- `JSON` breaks only itself.
local host, options_text = ...

local collectgarbage = collectgarbage
collectgarbage("stop") -- until the prelude stands: hardly anything of it is garbage

-- lupa's metatable of Python objects has a callable __gc: out of reach, for scripts and for us.
debug.getmetatable(host.call).__metatable = false
python = nil

local env = { lua = _G, host = host }
for name, value in next, _G do
  if type(value) == "table" and name ~= "_G" then
    local copy = {}
    for key, entry in next, value do copy[key] = entry end
    value = copy
  end
  if name ~= "_G" then env[name] = value end
end

local loaded = {}
local load, file = load, host.file

-- Files come compiled from the guest module; nothing but text is ever loaded for a script.
function env.import(name)
  local found = loaded[name]
  if found == nil then
    found = load(file(name), "=llmspell", "b", env)()
    loaded[name] = found
  end
  return found
end

env.options = env.import("json").read(options_text)

-- lupa looks for `debug.traceback` in Lua's own globals at every call, outside of any protected
-- one: a metatable that throws there would end the process. So scripts get a table of their own,
-- but those that have all of Lua: what Lua's own `require` loads sees Lua's globals.
local all = false
for _, name in next, env.options.libraries or {} do all = all or name == "all" end
env.globals = all and _G or {}
-- A misspelt name in the prelude is an error, not a nil or a global.
local error, tostring = error, tostring
setmetatable(env, {
  __index = function(_, name) error("the prelude has no " .. tostring(name)) end,
  __newindex = function(_, name) error("the prelude sets " .. tostring(name)) end,
})

local api = env.import("session")
collectgarbage("restart")
return api
