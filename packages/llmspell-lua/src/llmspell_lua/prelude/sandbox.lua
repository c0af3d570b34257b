-- What the script finds as globals: the libraries its profile allows, in place of Lua's own.
--
-- `options.libraries` is a list of names; "all" (profile none) keeps the real os, io, package and
-- debug libraries. Returns the table of globals.
local json = import("json")
local errors = import("errors")
local scheduler = import("scheduler")
local streams = import("streams")
local objects = import("objects")
local text = import("text")
local type, next, select, rawget, setmetatable = type, next, select, rawget, setmetatable
local getmetatable, load, tostring, find = debug.getmetatable, load, tostring, string.find
local natives = objects.natives

local G = globals
local real = {}
for name, value in next, lua do real[name] = value end

local allowed = {}
for _, name in next, options.libraries or {} do allowed[name] = true end
local all = allowed.all or false
local function has(name) return all or allowed[name] end

-- base -------------------------------------------------------------------------------------------

local BASE = { "assert", "error", "getmetatable", "ipairs", "next", "pairs", "rawequal", "rawget",
  "rawlen", "rawset", "select", "tonumber", "tostring", "type", "_VERSION" }

for name in next, real do lua[name] = nil end
for i = 1, #BASE do G[BASE[i]] = real[BASE[i]] end

G.print = streams.print
G.pcall, G.xpcall = scheduler.pcall, scheduler.xpcall

-- Finalizers run with hooks off, so an endless one could not be stopped.
function G.setmetatable(it, meta)
  if type(meta) == "table" and rawget(meta, "__gc") ~= nil then
    errors.bad("__gc is not available to scripts")
  end
  if type(it) == "table" and json.marks[getmetatable(it)] and (meta == nil or type(meta) == "table") then
    return real.debug.setmetatable(it, meta)
  end
  return setmetatable(it, meta)
end
G.getmetatable = function(it)
  if type(it) == "table" and json.marks[getmetatable(it)] then return nil end
  return real.getmetatable(it)
end

-- Text only. A reader function may not wait: `load` is a C function.
function G.load(chunk, name, mode, ...)
  if mode ~= nil and type(mode) == "string" and not find(mode, "t", 1, true) then
    return nil, "attempt to load a text chunk (mode is '" .. mode .. "')"
  end
  local env = G
  if select("#", ...) > 0 then env = ... end
  return scheduler.checked(load(chunk, name, "t", env))
end

local COLLECT = { count = true, collect = true, step = true }
function G.collectgarbage(what, ...)
  what = what or "collect"
  if not all and not COLLECT[what] then
    errors.bad("bad argument #1 to 'collectgarbage' (only count, collect and step)")
  end
  return real.collectgarbage(what, ...)
end

-- libraries --------------------------------------------------------------------------------------

local strings, lists = text.libraries()
G.string, G.table = strings, lists
local function copied(library)
  local copy = {}
  for key, value in next, library do copy[key] = value end
  return copy
end
G.math, G.utf8 = copied(real.math), copied(real.utf8)
G.coroutine = scheduler.coroutine
if options.seed then
  local seed = tostring(options.seed)
  G.math.randomseed(tonumber(string.sub(seed, 1, 15), 16) or 0, tonumber(string.sub(seed, 16, 30), 16) or 0)
end

local function exit(code)
  if code == nil or code == true then code = 0 elseif code == false then code = 1 end
  scheduler.die({ code = "script.exit", message = "the script called os.exit", retryable = false,
    details = { code = code } })
end

if all then
  G.os = copied(real.os)
else
  -- What "os.minimal" has.
  G.os = { time = real.os.time, date = real.os.date, clock = real.os.clock }
end
if has("os") then G.os.difftime = real.os.difftime end

-- There under every profile: it knows what the policy names, which may be nothing.
local env, real_getenv = options.env or {}, real.os.getenv
function G.os.getenv(name)
  local value = env[name]
  if value == nil and all then value = real_getenv(name) end
  if value == json.null then return nil end
  return value
end
G.os.exit = exit

-- The standard streams are ours under every profile, so that output stays in order.
local io = all and copied(real.io) or {}
io.stdin, io.stdout, io.stderr = streams.stdin, streams.stdout, streams.stderr
local input, output = streams.stdin, streams.stdout
function io.write(...)
  local _, message, code = output:write(...)
  if message then return nil, message, code end
  return output
end
function io.read(...) return input:read(...) end
local function standard_type(it)
  return type(it) == "table" and (getmetatable(it) or {}).__name == "FILE*" and "file" or nil
end

if has("io") then
  local function files() return all and real.io or import("files") end
  local function open(...) return files().open(...) end
  io.open = open
  io.type = function(it) return files().type(it) or standard_type(it) end
  function io.lines(path, ...)
    if path == nil then return input:lines(...) end
    return files().lines(path, ...)
  end
  local function redirect(current, mode, it)
    if it == nil then return current end
    if type(it) ~= "string" then return it end
    local file, message = open(it, mode)
    if not file then errors.bad(message) end
    return file
  end
  function io.input(it)
    input = redirect(input, "r", it)
    return input
  end
  function io.output(it)
    output = redirect(output, "w", it)
    return output
  end
  function io.close(it) return (it or output):close() end
else
  io.type = standard_type
  function io.lines(path, ...)
    if path ~= nil then errors.fail("policy.denied", "this profile reads no files from scripts") end
    return input:lines(...)
  end
end
function io.flush() return output:flush() end
G.io = io
G.stdin, G.stdout, G.stderr = streams.stdin, streams.stdout, streams.stderr

-- modules ----------------------------------------------------------------------------------------

if all then
  G.debug, G.package = real.debug, real.package
  real.package.loaded.llmspell = G
end

local function modules()
  local found = import("modules")
  if all then found.real = real end
  return found
end

function G.require(...) return modules().require(...) end
if has("dofile") then
  function G.dofile(...) return modules().dofile(...) end
  function G.loadfile(...) return modules().loadfile(...) end
end

-- globals of llmspell ----------------------------------------------------------------------------

local args = { [0] = options.args and options.args.script }
for i, value in next, options.args and options.args.positional or {} do args[i] = value end
for name, value in next, options.args and options.args.named or {} do args[name] = value end
G.args, G.arg, G.ARGS = args, args, args

local LAYOUT = { pretty = true, indent = true, sort_keys = true }

natives.JSON = {
  null = json.null,
  array = json.as_array,
  parse = function(source)
    if errors.is(source) then source = tostring(source) end
    if type(source) ~= "string" then
      errors.fail("input.invalid", "JSON.parse takes text, not a " .. type(source))
    end
    return json.parse(source)
  end,
  stringify = function(value, how)
    local indent, sorted = how, true
    if type(how) == "table" then
      how = errors.check_options(how, LAYOUT, "JSON.stringify")
      indent = how.pretty and (how.pretty == true and 2 or how.pretty) or how.indent
      sorted = how.sort_keys ~= false
    end
    if indent == true then indent = 2 end
    if type(indent) == "number" then
      indent = indent > 0 and string.rep(" ", math.min(indent // 1, 16)) or nil
    end
    return json.stringify(value, indent or nil, not sorted)
  end,
}

objects.declare(options.globals or {})
objects.define_native("JSON", { decode = "parse", encode = "stringify" })
objects.define_native("Async")
objects.define_native("Logger")
objects.define_native("Debug")

G._G = G
return G
