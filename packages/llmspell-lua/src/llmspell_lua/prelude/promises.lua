-- The methods of tasks and promises, and `Async.promise`.
local errors = import("errors")
local json = import("json")
local scheduler = import("scheduler")
local type, setmetatable, error, format = type, setmetatable, error, string.format
local getmetatable, pack, unpack = debug.getmetatable, table.pack, table.unpack
local Task, settle, when_done = scheduler.Task, scheduler.settle, scheduler.when_done

local M = {}

local function is_task(it) return type(it) == "table" and getmetatable(it) == Task end
M.is_task = is_task

-- A promise is a task without a coroutine: somebody else ends it.
local function promise() return setmetatable({ promise = true }, Task) end
M.promise = promise

local function resolve(it, ...)
  if it.done then return end
  local value = ...
  if is_task(value) and value ~= it then
    return when_done(value, function(other)
      if not it.done then settle(it, other.ok, other.results) end
    end)
  end
  settle(it, true, pack(...))
end

local function reject(it, e)
  if not it.done then settle(it, false, pack(e)) end
end

local function run_handler(child, handler, ...)
  local results = pack(scheduler.pcall(handler, ...))
  if results[1] then resolve(child, unpack(results, 2, results.n)) else reject(child, results[2]) end
end

-- Runs a handler in a task of its own once `it` has ended.
local function after(it, on_value, on_error)
  local child = promise()
  when_done(it, function(ended)
    local handler
    if ended.ok then handler = on_value else handler = on_error end
    if handler then
      local results = ended.results
      scheduler.spawn_always(run_handler, nil, child, handler, unpack(results, 1, results.n))
    elseif not child.done then
      settle(child, ended.ok, ended.results)
    end
  end)
  return child
end

Task.next = after
Task.catch = function(it, fn) return after(it, nil, fn) end
Task.finally = function(it, fn)
  return after(it,
    function(...)
      fn()
      return ...
    end,
    function(e)
      fn()
      error(e, 0)
    end)
end
Task.await = function(it)
  if not is_task(it) then errors.bad("await: call it as task:await()") end
  return scheduler.await(it)
end
Task.cancel = scheduler.cancel
Task.status = function(it)
  if not it.done then return "running" end
  if it.ok then return "done" end
  return it.cancelled and "cancelled" or "failed"
end
Task.__tostring = function(it)
  return format("%s(%s)", it.promise and "promise" or "task", Task.status(it))
end
Task.__pairs = function() return function() end end
json.kinds[Task] = function() return nil, nil end

-- Calls `fn(resolve, reject)` at once.
function M.new(fn)
  local it = promise()
  local ok, e = scheduler.pcall(fn, function(...) resolve(it, ...) end, function(e) reject(it, e) end)
  if not ok then reject(it, e) end
  return it
end

return M
