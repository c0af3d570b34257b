-- `require`, `dofile` and `loadfile`: the host finds, checks and reads (the target "modules").
--
--   load(name, calling file) -> {name, source} of a module
--   file(path, calling file) -> {name, source} of a script file
--
-- A module runs once. Who asks for it meanwhile waits, unless it is asked for by what it is itself
-- waiting for: then the modules require each other.
local errors = import("errors")
local scheduler = import("scheduler")
local promises = import("promises")
local type, tostring, select, error, setmetatable = type, tostring, select, error, setmetatable
local load, pack, unpack, concat = load, table.pack, table.unpack, table.concat
local find, sub, match = string.find, string.sub, string.match
local getinfo = debug.getinfo
local bad = errors.bad

local M = {}
local records = {}   -- file -> what is known of the module
local found_as = {}  -- folder of the calling file, NUL, name -> the same

-- Set by sandbox.lua where a script has Lua's own libraries.
M.real = nil

-- The file that the innermost line of the script is in; tail calls may have left none.
local function caller()
  local level = 2
  while true do
    local info = getinfo(level, "Sl")
    if not info then break end
    if info.currentline > 0 and sub(info.source, 1, 1) == "@" then return sub(info.source, 2) end
    level = level + 1
  end
  local running = scheduler.current and scheduler.current.module
  return running and running.file
end

-- compiling --------------------------------------------------------------------------------------

-- A first line that begins with # is a comment, so that line numbers stay. The variable to close
-- keeps the chunk's own frame when it ends in a call.
local function compile(source, file, env)
  if find(source, "^#") then source = "--" .. source end
  local chunk = "@" .. file
  errors.add_chunk(load("", chunk))
  return load("local __llmspell <close> = nil " .. source, chunk, "t", env)
end

local function fail_syntax(message)
  local fields = errors.describe(message)
  fields.code = "script.syntax"
  errors.raise(fields)
end

-- modules ----------------------------------------------------------------------------------------

local function fail_cycle(record, running)
  local names, at = {}, record
  while at and at ~= running do
    names[#names + 1] = at.name
    at = at.needs
  end
  names[#names + 1] = running.name
  names[#names + 1] = record.name
  errors.fail("module.cycle", "modules require each other: " .. concat(names, " -> "),
    "move what both need into a module of its own, or require inside the function that needs it")
end

local function waits_for(record, other)
  local seen = {}
  while record and not seen[record] do
    if record == other then return true end
    seen[record] = true
    record = record.needs
  end
  return false
end

-- Runs when a module's chunk is left, by whichever way, without losing where an error rose.
local Leaving = {}
function Leaving.__close(it, e)
  local record, outer = it.record, it.outer
  it.task.module = outer
  if outer then outer.needs = nil end
  local promise = record.promise
  record.promise = nil
  if not record.done then
    promise.seen = true
    scheduler.settle(promise, false, pack(e))
  else
    scheduler.settle(promise, true, { n = 0 })
  end
end

local function run(record, fn)
  local task = scheduler.current
  local outer = task.module
  record.promise = promises.promise()
  if outer then outer.needs = record end
  task.module = record
  local leaving <close> = setmetatable({ record = record, outer = outer, task = task }, Leaving)
  local value = fn(record.name, record.file)
  if value == nil then value = true end
  record.value, record.done = value, true
end

local function wait_for(record)
  local running = scheduler.current.module
  if running and waits_for(record, running) then fail_cycle(record, running) end
  if running then running.needs = record end
  local results = pack(scheduler.pcall(scheduler.await, record.promise))
  if running then running.needs = nil end
  if not results[1] then error(results[2], 0) end
end

local function finished(record)
  if record.promise then wait_for(record) end
  if not record.done then
    local fn, message = compile(record.source, record.file, globals)
    if not fn then fail_syntax(message) end
    run(record, fn)
    record.source = nil
  end
  return record.value, record.file
end

local function located(name)
  local from = caller()
  local key = (from and match(from, "^(.*)[/\\]") or "") .. "\0" .. name
  local record = found_as[key]
  if not record then
    local module = scheduler.call("modules", "load", name, from)
    record = records[module.name]
    if not record then
      record = { name = name, file = module.name, source = module.source }
      records[module.name] = record
    end
    found_as[key] = record
  end
  return record
end

-- With Lua's own libraries: `package.loaded` and `package.preload` count, and what the host does
-- not find may still be on Lua's own path.
local function require_freely(name)
  local real = M.real
  local package = real.package
  local value = package.loaded[name]
  if value ~= nil then return value end
  if package.preload[name] ~= nil then return real.require(name) end
  local ok, record = scheduler.pcall(located, name)
  if not ok then
    local code = errors.is(record) and record.code
    if code ~= "module.not_found" and code ~= "module.denied" then error(record, 0) end
    local results = pack(scheduler.pcall(real.require, name))
    if results[1] then return unpack(results, 2, results.n) end
    local e = results[2]
    local absent = type(e) == "string" and find(e, "module '" .. name .. "' not found:", 1, true)
    error(absent and record or e, 0)
  end
  local file
  value, file = finished(record)
  package.loaded[name] = value
  return value, file
end

function M.require(name)
  if type(name) ~= "string" then
    bad("bad argument #1 to 'require' (string expected, got " .. type(name) .. ")")
  end
  if name == "llmspell" then return globals end
  if not options.modules then
    errors.fail("module.denied", 'require("' .. name .. '"): no modules are loaded here')
  end
  if M.real then return require_freely(name) end
  return finished(located(name))
end

-- files ------------------------------------------------------------------------------------------

local REFUSED = { "^policy%.", "^limit%.", "^script%.", "^module%.", "^cancelled$", "^input%.invalid$" }

-- A refusal is thrown; what else goes wrong is Lua's `nil, message, errno`.
local function read(path)
  local ok, found = scheduler.pcall(scheduler.call, "modules", "file", path, caller())
  if ok then return found end
  local code = errors.is(found) and tostring(found.code)
  if not code then error(found, 0) end
  for i = 1, #REFUSED do
    if find(code, REFUSED[i]) then error(found, 0) end
  end
  local details = found.details
  return nil, found.message, type(details) == "table" and details.errno or 0
end

-- Text only, in the script's own globals unless it names others.
function M.loadfile(path, _, ...)
  if type(path) ~= "string" then bad("bad argument #1 to 'loadfile' (string expected)") end
  local found, message, errno = read(path)
  if not found then return nil, message, errno end
  local env = globals
  if select("#", ...) > 0 then env = ... end
  return compile(found.source, found.name, env)
end

function M.dofile(path)
  if type(path) ~= "string" then bad("bad argument #1 to 'dofile' (string expected)") end
  local found, message = read(path)
  if not found then error(message, 0) end
  local fn
  fn, message = compile(found.source, found.name, globals)
  if not fn then fail_syntax(message) end
  return fn()
end

return M
