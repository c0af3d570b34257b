-- What the guest module (Python) calls: run, invoke, answer, cancel, release, stop.
local json = import("json")
local errors = import("errors")
local functions = import("functions")
local scheduler = import("scheduler")
local streams = import("streams")
local objects = import("objects")
local load, pcall = load, pcall
local unpack, find = table.unpack, string.find
local getlocal, getmetatable, type = debug.getlocal, debug.getmetatable, type

local limits = options.limits
json.max_depth = limits.value_depth or 64
if json.max_depth == 0 then json.max_depth = 500 end
if (limits.value_mb or 0) > 0 then json.max_size = limits.value_mb * (1 << 20) // 1 end
if (limits.tasks or 0) > 0 then scheduler.max_tasks = limits.tasks end

local G = import("sandbox")
local NULL = json.null

-- Logs and output not handed over yet, and handles the script has lost.
local function hand_over()
  scheduler.before_call.needed = false
  streams.flush()
  objects.flush()
  if objects.flush_logs then objects.flush_logs() end
end
scheduler.before_call.run = hand_over

function scheduler.end_of_turn()
  if scheduler.before_call.needed then hand_over() end
end

function scheduler.housekeeping(info)
  hand_over()
  local place
  if info and info.currentline > 0 then place = errors.line_of(info) end
  host.at(place)
end

scheduler.may_be_called = functions.any_held

-- `io.write("a")` returns a file, which is nothing to print.
local function is_file(value)
  local meta = type(value) == "table" and getmetatable(value)
  return meta and meta.__name == "FILE*"
end

-- The result of the main chunk under `eval`: one value as it is, several as a list.
local function evaluated(results)
  if results.n <= 1 then
    if is_file(results[1]) then return nil end
    return results[1]
  end
  local values = {}
  for i = 1, results.n do
    if results[i] == nil then values[i] = NULL else values[i] = results[i] end
  end
  return { values = json.array(values) }
end

function scheduler.reported(task)
  if scheduler.before_call.needed then hand_over() end
  if not task.ok then return host.done(task.report, false, scheduler.failure(task)) end
  local value = task.results[1]
  if task.mode == "eval" then value = evaluated(task.results) end
  local ok, text = pcall(json.encode, value)
  if not ok and text == "not enough memory" then
    pcall(scheduler.die_of, "script.memory_limit")
    text = scheduler.dead
  end
  host.done(task.report, ok, ok and text or errors.to_json(text))
end

local api = {}

-- With a variable to close in scope `return f()` is no tail call, so the line of the main chunk is
-- there to be named when `f` fails.
local KEEP_FRAME = "local __llmspell <close> = nil "

local function compile(source, name, mode)
  local chunk = "@" .. name
  errors.add_chunk(load("", chunk))
  if find(source, "^\xEF\xBB\xBF") then source = string.sub(source, 4) end
  -- A `#!` line becomes a comment, so that line numbers stay.
  if find(source, "^#!") then source = "--" .. source end
  if mode == "eval" then
    local fn = load(KEEP_FRAME .. "return " .. source, chunk, "t", G)
    if fn then return fn end
  end
  return load(KEEP_FRAME .. source, chunk, "t", G)
end

function api.run(id, source, name, mode)
  local fn, message = compile(source, name, mode)
  if not fn then
    local fields = errors.describe(message)
    fields.code = "script.syntax"
    host.done(id, false, errors.to_json(fields))
    return scheduler.turn()
  end
  return scheduler.start(id, mode, fn)
end

-- In a REPL the locals of one input are seen by the next, as globals. `level` is the main chunk,
-- which is returning.
function scheduler.keep_locals(level)
  local i = 1
  while true do
    local name, value = getlocal(level + 1, i)
    if not name then break end
    if find(name, "^%a") then G[name] = value end
    i = i + 1
  end
end

local function called(fn, args)
  scheduler.runs(fn)
  local list = json.decode(args)
  local many = #list
  for i = 1, many do
    if list[i] == NULL then list[i] = nil end
  end
  return fn(unpack(list, 1, many))
end

function api.invoke(id, handle, args)
  local fn = functions.get(handle)
  if not fn then
    host.done(id, false, '{"code":"script.released","message":"this function was released",'
      .. '"retryable":false}')
    return scheduler.turn()
  end
  return scheduler.start(id, "invoke", called, fn, args)
end

-- Whether the prelude itself has this guest method.
function api.answers(global, method)
  local own = objects.natives[global]
  return own ~= nil and own[method] ~= nil
end

api.answer = scheduler.answer
api.cancel = scheduler.cancel_report
api.turn = scheduler.turn
api.release = functions.release

-- Ends the script from outside: nothing runs any more, and everything open fails with this.
api.stop = scheduler.stop

return api
