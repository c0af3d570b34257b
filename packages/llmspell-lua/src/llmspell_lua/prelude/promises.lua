-- The methods of tasks and promises, and `Async.promise`.
--
-- What scripts hold is an empty table in front of a task: what is kept in a task is called where
-- nothing counts instructions, so that nothing in it may be the script's to change.
local errors = import("errors")
local json = import("json")
local scheduler = import("scheduler")
local read_only = import("spelling").read_only
local type, next, setmetatable, error, format = type, next, setmetatable, error, string.format
local pack, unpack = table.pack, table.unpack
local settle, when_done = scheduler.settle, scheduler.when_done

local M = {}
local Task = { __name = "task", __metatable = false, __newindex = read_only }
local behind = setmetatable({}, { __mode = "k" })   -- front -> task

-- The task that a script's value stands for; nil when it is none.
local function task_of(value) return type(value) == "table" and behind[value] or nil end
M.task_of = task_of

-- A task as scripts get it.
local function shown(it)
  local front = it.front
  if not front then
    front = setmetatable({}, Task)
    it.front, behind[front] = front, it
  end
  return front
end
M.shown = shown

-- A promise is a task without a coroutine: somebody else ends it.
local function promise() return { promise = true } end
M.promise = promise

local function resolve(it, ...)
  if it.done then return end
  local inner = task_of((...))
  if inner and inner ~= it then
    return when_done(inner, function(other)
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

local function status(it)
  if not it.done then return "running" end
  if it.ok then return "done" end
  return it.cancelled and "cancelled" or "failed"
end

local methods = {
  next = function(it, on_value, on_error) return shown(after(it, on_value, on_error)) end,
  catch = function(it, fn) return shown(after(it, nil, fn)) end,
  finally = function(it, fn)
    return shown(after(it,
      function(...)
        fn()
        return ...
      end,
      function(e)
        fn()
        error(e, 0)
      end))
  end,
  await = scheduler.await,
  cancel = scheduler.cancel,
  status = status,
}
Task.__index = {}
for name, method in next, methods do
  Task.__index[name] = function(front, ...)
    local it = task_of(front)
    if not it then errors.bad(name .. ": call it as task:" .. name .. "()") end
    return method(it, ...)
  end
end
Task.__tostring = function(front)
  local it = behind[front]
  return format("%s(%s)", it.promise and "promise" or "task", status(it))
end
Task.__pairs = function() return function() end end
json.kinds[Task] = function() return nil, nil end

-- Calls `fn(resolve, reject)` at once.
function M.new(fn)
  local it = promise()
  local ok, e = scheduler.pcall(fn, function(...) resolve(it, ...) end, function(e) reject(it, e) end)
  if not ok then reject(it, e) end
  return shown(it)
end

return M
