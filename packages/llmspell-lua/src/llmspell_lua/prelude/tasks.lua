-- Tasks: coroutines that may wait, and the queue of those that can go on.
--
-- A wait yields TAG, which never reaches the script. The script's own coroutines are resumed by
-- wrappers that pass a TAG further up (coroutines.lua), so a host call may stand inside any of
-- them. Everything a waiting task is woken with lies in its table: switching needs no closures.
local errors = import("errors")
local M = import("limits")
local co_resume, co_yield, co_status = coroutine.resume, coroutine.yield, coroutine.status
local co_running, isyieldable = coroutine.running, coroutine.isyieldable
local pcall, xpcall, error, type, tostring = pcall, xpcall, error, type, tostring
local pack, unpack, remove = table.pack, table.unpack, table.remove
local getmetatable, rawequal = debug.getmetatable, rawequal
local MEMORY, Error, raise = M.MEMORY, errors.Error, errors.raise

local TAG = {}
M.TAG = TAG

M.max_tasks = math.huge
M.tasks, M.live = {}, 0              -- those not ended
M.reports = {}                       -- id of a `run` or `invoke` -> its task
M.failed = {}                        -- tasks that failed, until somebody looks
M.inside = setmetatable({}, { __mode = "k" }) -- coroutines that wait for the host
local tasks, reports, failed, inside = M.tasks, M.reports, M.failed, M.inside
local ready, head, tail = {}, 1, 0   -- those that can go on

local function push(task)
  if not task.queued then
    task.queued = true
    tail = tail + 1
    ready[tail] = task
  end
end
M.push = push

function M.none_ready() return head > tail end

-- The function that the running task began with, for errors that tail calls left without a line.
function errors.home() return M.current and M.current.fn end

-- waiting ----------------------------------------------------------------------------------------

local function cannot_wait(what)
  raise({
    code = "script.cannot_wait_here", retryable = false,
    message = (what or "this") .. " has to wait, which is not possible inside a metamethod that "
      .. "a library function calls (__tostring, a sort without comparator), or a load reader",
  })
end
M.cannot_wait = cannot_wait

-- Suspends the running task until it is pushed; raises when it was cancelled meanwhile.
local function suspend()
  local task, me = M.current, co_running()
  inside[me] = true
  co_yield(TAG)
  inside[me] = nil
  local e = task.wake_error
  if e then
    task.wake_error = nil
    raise(e)
  end
end
M.suspend = suspend

local function need_to_wait(what)
  if M.blocked or not M.current or not isyieldable() then cannot_wait(what) end
end

-- Suspends the running task until `M.wake(task)`; `awaits` is what a deadlock would name.
function M.park(awaits)
  need_to_wait(awaits)
  M.current.awaits = awaits
  suspend()
end

function M.wake(task)
  task.awaits = nil
  push(task)
end

function M.yield()
  need_to_wait("yield")
  push(M.current)
  suspend()
end

-- Waits for a task or promise.
function M.await(it)
  if not it.done then
    need_to_wait("await")
    local waiters = it.waiters
    if not waiters then
      waiters = {}
      it.waiters = waiters
    end
    waiters[#waiters + 1] = M.current
    M.current.awaits = it
    suspend()
  end
  it.seen = true
  if it.ok then return unpack(it.results, 1, it.results.n) end
  error(it.results[1], 0)
end

-- Runs `fn(it)` when `it` has ended. In the loop: it must neither wait nor fail.
function M.when_done(it, fn)
  if it.done then
    it.seen = true
    return fn(it)
  end
  it.waiters = it.waiters or {}
  it.waiters[#it.waiters + 1] = fn
end

-- ending -----------------------------------------------------------------------------------------

-- Ends a task or promise: wakes who waits for it.
function M.settle(it, ok, results)
  it.done, it.ok, it.results = true, ok, results
  local waiters = it.waiters
  if not ok and not (waiters and #waiters > 0) and not it.cancelled and not it.report then
    failed[#failed + 1] = it
  end
  if waiters then
    it.waiters, it.seen = nil, true
    for i = 1, #waiters do
      local waiter = waiters[i]
      if type(waiter) == "function" then waiter(it) else M.wake(waiter) end
    end
  end
end

local function finish(task, ok, ...)
  tasks[task], M.live = nil, M.live - 1
  task.co, task.fn = nil, nil
  M.settle(task, ok, pack(...))
  if task.report then
    reports[task.report] = nil
    M.reported(task)
  end
end

-- Gives up what a task waits for and wakes it with an error.
function M.interrupt(task, e)
  local awaits = task.awaits
  task.wake_error, task.awaits = e, nil
  if task.call then
    M.drop_call(task.call)
    task.call = nil
  elseif type(awaits) == "table" then
    local waiters = awaits.waiters or {}
    for i = #waiters, 1, -1 do
      if waiters[i] == task then remove(waiters, i) end
    end
  end
  push(task)
end

-- Cancels a task or promise: the wait of a task raises `cancelled`.
function M.cancel(task)
  if task.done then return false end
  task.cancelled = true
  local e = { code = "cancelled", message = "cancelled", retryable = false }
  if rawequal(task, M.current) then raise(e) end
  if task.co then M.interrupt(task, e) else M.settle(task, false, pack(errors.new(e))) end
  return true
end

-- How a task failed, as JSON text.
function M.failure(task)
  return errors.to_json(task.results[1], task.place, task.stack, task.text)
end

-- running ----------------------------------------------------------------------------------------

-- xpcall's handler: remembers where an error rose, and leaves the error what it is.
local function handler(e)
  if M.dead then return M.dead end
  if e == MEMORY then M.die_of("script.memory_limit") end
  local task = M.current
  task.place, task.stack = errors.where(), errors.stack()
  if type(e) == "table" then
    local meta = getmetatable(e)
    if meta == Error then
      e.stack = e.stack or task.stack
    elseif meta and meta.__tostring then
      -- Here, where it is counted: elsewhere an endless __tostring could not be stopped.
      local ok, text = pcall(tostring, e)
      task.text = ok and text or nil
    end
  end
  return e
end

local function unwrap(ok, ...)
  if ok then return ... end
  error((...), 0)
end

-- A new task for `fn(...)`; `report` is the id under which the host waits for its end.
function M.spawn_always(fn, report, ...)
  local current = M.current
  local task = {
    report = report, args = pack(...), fn = fn,
    -- The run or callback that this work belongs to.
    origin = report or current and current.origin or 0,
  }
  task.co = M.create(function()
    local args = task.args
    task.args = nil
    return unwrap(xpcall(fn, handler, unpack(args, 1, args.n)))
  end)
  tasks[task], M.live = true, M.live + 1
  if report then reports[report] = task end
  push(task)
  return task
end

function M.spawn(fn, ...)
  if M.live >= M.max_tasks then
    errors.fail("limit.tasks", "more than " .. M.max_tasks .. " tasks at once")
  end
  return M.spawn_always(fn, nil, ...)
end

local function stepped(task, ok, tag, ...)
  if co_status(task.co) == "dead" then
    if not ok and tag == MEMORY then pcall(M.die_of, "script.memory_limit") end
    if not M.dead then finish(task, ok, tag, ...) end
  elseif tag ~= TAG then
    push(task) -- a bare coroutine.yield() at the top of a task gives the others a turn
  end
end

-- Runs until every task waits, or the script is over.
function M.run_ready()
  while head <= tail and not M.dead do
    local task = ready[head]
    ready[head] = nil
    head = head + 1
    task.queued = false
    if not task.done then
      local e = not task.started and task.wake_error
      if e then
        finish(task, false, errors.new(e))
      else
        task.started, M.current = true, task
        stepped(task, co_resume(task.co))
        M.current = nil
        pcall(M.counted)
      end
    end
  end
  if head > tail then head, tail = 1, 0 end
end

function M.forget_all()
  for task in next, tasks do tasks[task] = nil end
  for id in next, reports do reports[id] = nil end
  for i = 1, #failed do failed[i] = nil end
  ready, head, tail, M.live = {}, 1, 0, 0
end

return M
