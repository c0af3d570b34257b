-- Tasks: coroutines that may wait for the host, and the loop that runs them.
--
-- A wait yields TAG, which never leaves this file. The script's own coroutines are resumed by
-- wrappers that pass a TAG further up, so a host call may stand inside any of them. Everything a
-- waiting task is woken with lies in its table, so switching needs no closures.
local errors = import("errors")
local json = import("json")
local co_create, co_resume, co_yield, co_status = coroutine.create, coroutine.resume,
  coroutine.yield, coroutine.status
local co_running, co_close, isyieldable = coroutine.running, coroutine.close, coroutine.isyieldable
local pcall, xpcall, error, type, setmetatable, next = pcall, xpcall, error, type, setmetatable, next
local pack, unpack, remove = table.pack, table.unpack, table.remove
local sethook, getinfo, getmetatable = debug.sethook, debug.getinfo, debug.getmetatable
local rawequal, select = rawequal, select
local tick = host.tick
local encode, decode, encode_args = json.encode, json.decode, json.encode_args
local raise, Error = errors.raise, errors.Error

local M = {}

local TAG = {}
local MEMORY = "not enough memory"   -- what lupa's allocator makes Lua throw
local STEP = 100000                  -- instructions between two looks at the clock

local Task = { __name = "task", __metatable = false }
Task.__index = Task
M.Task = Task

local dead                           -- the error that ends the whole script, once it is set
local current                        -- the task that runs
local tasks, live = {}, 0            -- those not ended
local ready, head, tail = {}, 1, 0   -- those that can go on
local calls, pending = {}, 0         -- host calls without answer: id -> task or function
local reports = {}                   -- id of a `run` or `invoke` -> its task
local failed = {}                    -- tasks that failed, until somebody looks
local call_id = 0
local blocked = false                -- whether a C function stands between here and the task
local inside = setmetatable({}, { __mode = "k" }) -- coroutines that wait for the host

-- ending the script ------------------------------------------------------------------------------

local hook

-- From here on nothing of the script runs to an end: every wrapper throws `dead` again, and the
-- hook fires at once, so that neither handlers nor `__close` can keep it alive.
function M.die(fields)
  if not dead then
    dead = setmetatable(fields, Error)
    dead.source = dead.source or errors.where()
  end
  local _, is_main = co_running()
  if not is_main then sethook(hook, "", 1) end
  error(dead, 0)
end

local MESSAGES = {
  ["script.cpu_limit"] = "the script used up its CPU time",
  ["script.instructions_limit"] = "the script used up its instructions",
  ["script.memory_limit"] = "the script used up its memory",
}

function M.die_of(code)
  M.die({ code = code, message = MESSAGES[code] or "the script was stopped", retryable = false })
end

local function look(level)
  if dead then error(dead, 0) end
  local code = tick()
  if code then
    if code == true then
      M.housekeeping(getinfo(level, "Sl"))
    else
      M.die_of(code)
    end
  end
end

function hook() look(3) end

local function create(fn)
  local co = co_create(fn)
  sethook(co, hook, "", STEP)
  return co
end

-- Short coroutines never reach the count of their hook: those who resume them count as well.
local resumed = 0
local function counted()
  resumed = resumed + 1
  if resumed >= 200 then
    resumed = 0
    look(4)
  end
end

-- What pcall and its like do with a failure before the script sees it.
local function checked(ok, e, ...)
  if dead then error(dead, 0) end
  if not ok then
    if e == MEMORY then M.die_of("script.memory_limit") end
    if type(e) == "userdata" then e = "an internal error" end
  end
  return ok, e, ...
end
M.checked = checked

-- waiting ----------------------------------------------------------------------------------------

local function push(task)
  if not task.queued then
    task.queued = true
    tail = tail + 1
    ready[tail] = task
  end
end

local function cannot_wait(what)
  raise({
    code = "script.cannot_wait_here", retryable = false,
    message = (what or "this") .. " has to wait, which is not possible inside a metamethod that "
      .. "a library function calls (__tostring, a sort without comparator), or a load reader",
  })
end

-- Suspends the running task until it is pushed; raises when it was cancelled meanwhile.
local function suspend()
  local task, me = current, co_running()
  inside[me] = true
  co_yield(TAG)
  inside[me] = nil
  local e = task.wake_error
  if e then
    task.wake_error = nil
    raise(e)
  end
end

local function can_wait() return not blocked and current and isyieldable() end

-- Tells the host everything it should have seen before the next call: set by streams.lua.
M.before_call = { needed = false }
local before_call = M.before_call
local host_call = host.call

-- Calls the host and waits for the answer.
function M.call(target, method, ...)
  if blocked or not isyieldable() then cannot_wait(method) end
  local args = encode_args(...)
  if before_call.needed then before_call.run() end
  local id = call_id + 1
  call_id = id
  local task = current
  local ok, text = host_call(id, target, method, args, task.origin)
  if ok == nil then
    calls[id], pending = task, pending + 1
    task.call = id
    suspend()
    ok, text = task.answer_ok, task.answer
    task.answer = nil
  end
  if ok then
    if text == "null" then return nil end
    return decode(text)
  end
  raise(decode(text))
end

-- Calls the host without waiting; `on_answer(ok, text)` runs in the loop and must not fail.
-- Returns the id, nil when it was answered at once.
function M.start_call(target, method, args, on_answer)
  call_id = call_id + 1
  local id = call_id
  local ok, text = host_call(id, target, method, args, current and current.origin or 0)
  if ok == nil then
    calls[id], pending = on_answer, pending + 1
    return id
  end
  on_answer(ok, text)
end

function M.drop_call(id)
  if id and calls[id] then
    calls[id], pending = nil, pending - 1
    host.cancel(id)
  end
end

-- tasks ------------------------------------------------------------------------------------------

-- Ends a task or promise: wakes who waits for it.
local function settle(it, ok, results)
  it.done, it.ok, it.results = true, ok, results
  if not ok then
    local watched = it.waiters and #it.waiters > 0
    if not watched and not it.cancelled and not it.report then failed[#failed + 1] = it end
  end
  local waiters = it.waiters
  if waiters then
    it.waiters = nil
    it.seen = true
    for i = 1, #waiters do
      local waiter = waiters[i]
      if type(waiter) == "function" then
        waiter(it)
      else
        waiter.awaits = nil
        push(waiter)
      end
    end
  end
end
M.settle = settle

function errors.home() return current and current.fn end

local function finish(task, ok, ...)
  tasks[task], live = nil, live - 1
  task.co, task.fn = nil, nil
  settle(task, ok, pack(...))
  if task.report then
    reports[task.report] = nil
    M.reported(task)
  end
end

-- xpcall's handler: remembers where an error rose, and leaves the error what it is.
local function handler(e)
  if dead then return dead end
  if e == MEMORY then M.die_of("script.memory_limit") end
  local task = current
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
local function spawn(fn, report, ...)
  local task = setmetatable({
    report = report, args = pack(...), fn = fn,
    -- The run or callback that this work belongs to.
    origin = report or current and current.origin or 0,
  }, Task)
  task.co = create(function()
    local args = task.args
    task.args = nil
    return unwrap(xpcall(fn, handler, unpack(args, 1, args.n)))
  end)
  tasks[task], live = true, live + 1
  if report then reports[report] = task end
  push(task)
  return task
end
M.spawn_always = spawn

function M.spawn(fn, ...)
  if live >= M.max_tasks then
    errors.fail("limit.tasks", "more than " .. M.max_tasks .. " tasks at once")
  end
  return spawn(fn, nil, ...)
end

local function stepped(task, ok, tag, ...)
  if co_status(task.co) == "dead" then
    if not ok and tag == MEMORY then pcall(M.die_of, "script.memory_limit") end
    if dead then return end
    return finish(task, ok, tag, ...)
  end
  -- A bare coroutine.yield() at the top of a task gives the others a turn.
  if tag ~= TAG then push(task) end
end

local function run_ready()
  while head <= tail do
    local task = ready[head]
    ready[head] = nil
    head = head + 1
    task.queued = false
    if not task.done then
      local e = not task.started and task.wake_error
      if e then
        finish(task, false, errors.new(e))
      else
        task.started = true
        current = task
        stepped(task, co_resume(task.co))
        current = nil
        resumed = resumed + 1
        if resumed >= 200 then
          resumed = 0
          pcall(look, 4)
        end
      end
    end
    if dead then return end
  end
  head, tail = 1, 0
end

-- Waits for a task or promise.
function M.await(it)
  if not it.done then
    if not can_wait() then cannot_wait("await") end
    local waiters = it.waiters
    if not waiters then
      waiters = {}
      it.waiters = waiters
    end
    waiters[#waiters + 1] = current
    current.awaits = it
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

function M.forget(it, waiter)
  local waiters = it.waiters
  for i = waiters and #waiters or 0, 1, -1 do
    if waiters[i] == waiter then remove(waiters, i) end
  end
end

-- Suspends the running task until `M.wake(task)`; `awaits` is what the deadlock report names.
function M.park(awaits)
  if not can_wait() then cannot_wait(awaits) end
  current.awaits = awaits
  suspend()
end

function M.wake(task)
  task.awaits = nil
  push(task)
end

function M.current() return current end
M.can_wait, M.cannot_wait = can_wait, cannot_wait

local function interrupt(task, e)
  task.wake_error = e
  local awaits = task.awaits
  if task.call then
    M.drop_call(task.call)
    task.call = nil
  elseif type(awaits) == "table" then
    M.forget(awaits, task)
  end
  task.awaits = nil
  push(task)
end

-- Cancels a task: what it waits for is given up, and the wait raises `cancelled`.
function M.cancel(task)
  if task.done then return false end
  task.cancelled = true
  local e = { code = "cancelled", message = "cancelled", retryable = false }
  if rawequal(task, current) then raise(e) end
  if not task.co then
    settle(task, false, pack(errors.new(e)))
  else
    interrupt(task, e)
  end
  return true
end

function M.yield()
  if not can_wait() then cannot_wait("yield") end
  push(current)
  suspend()
end

-- turns ------------------------------------------------------------------------------------------

-- Tasks that only other tasks wait for fail by themselves when those do.
local function deadlocked()
  local found, all = {}, {}
  for task in next, tasks do
    all[#all + 1] = task
    if type(task.awaits) ~= "table" or task.awaits.co == nil then found[#found + 1] = task end
  end
  if #found == 0 then found = all end
  for i = 1, #found do
    local task = found[i]
    local what = type(task.awaits) == "string" and task.awaits or "a task or promise"
    interrupt(task, {
      code = "async.deadlock", retryable = false,
      message = "waiting for " .. what .. ", and nothing is left that could end the wait",
    })
  end
end

-- The host may be about to call a function of the script (an event that was just sent), so while
-- it holds any, a deadlock is only believed after a moment of silence.
local silence
local function maybe_deadlocked()
  if not M.may_be_called() then return deadlocked() end
  if silence then return end
  silence = M.start_call("Async", "sleep", "[50]", function()
    silence = nil
    if live > 0 and pending == 0 and head > tail then deadlocked() end
  end)
end

local function listen()
  M.drop_call(silence)
  silence = nil
end

-- The script is over: everything that somebody waits for gets the reason.
local function collapse()
  for id in next, calls do host.cancel(id) end
  calls, pending, ready, head, tail, failed = {}, 0, {}, 1, 0, {}
  local text = errors.to_json(dead)
  -- With nothing open, the host would not learn that the script has ended itself.
  if next(reports) == nil then host.unhandled(text) end
  for id in next, reports do host.done(id, false, text) end
  reports, tasks, live = {}, {}, 0
end

-- How a task failed, as JSON text.
function M.failure(task)
  return errors.to_json(task.results[1], task.place, task.stack, task.text)
end

local function report_failed()
  for i = 1, #failed do
    local task = failed[i]
    failed[i] = nil
    if not task.seen and not task.cancelled then
      host.unhandled(M.failure(task))
    end
  end
end

-- Runs until every task waits. Returns whether no task is left.
local function turn()
  run_ready()
  while not dead and live > 0 and pending == 0 and not silence do
    maybe_deadlocked()
    run_ready()
  end
  if dead then
    collapse()
  elseif live == 0 then
    if #failed > 0 then report_failed() end
    if silence then listen() end
  end
  M.end_of_turn()
  return live == 0
end
M.turn = turn

function M.answer(id, ok, text)
  local waits = calls[id]
  if not waits then return live == 0 end
  calls[id], pending = nil, pending - 1
  if type(waits) == "function" then
    waits(ok, text)
  else
    if silence then listen() end
    waits.call, waits.answer_ok, waits.answer = nil, ok, text
    push(waits)
  end
  return turn()
end

function M.cancel_report(id)
  local task = reports[id]
  if task then M.cancel(task) end
  return turn()
end

-- Starts a task for the host.
function M.start(report, mode, fn, ...)
  if dead then
    host.done(report, false, errors.to_json(dead))
    return true
  end
  if silence then listen() end
  local task = spawn(fn, report, ...)
  task.mode = mode
  if mode == "eval" then
    sethook(task.co, function(event)
      if event ~= "return" then return look(3) end
      if getinfo(2, "f").func == fn then M.keep_locals(2) end
    end, "r", STEP)
  end
  return turn()
end

-- The function of the script that a task of the prelude's runs for.
function M.runs(fn) current.fn = fn end

function M.is_dead() return dead end

-- what the script sees of coroutines -------------------------------------------------------------

local function pass(co, ok, tag, ...)
  if dead then error(dead, 0) end
  if ok and tag == TAG then
    local me = co_running()
    inside[me] = true
    co_yield(TAG)
    inside[me] = nil
    return pass(co, co_resume(co))
  end
  return ok, tag, ...
end

local function unblock(...)
  blocked = false
  return ...
end

local function resume(co, ...)
  if inside[co] then return false, "cannot resume a coroutine that waits for a host call" end
  counted()
  if not blocked and not isyieldable() then
    -- Waits inside could not travel further up: they are refused where they stand.
    blocked = true
    return checked(unblock(pass(co, co_resume(co, ...))))
  end
  return checked(pass(co, co_resume(co, ...)))
end

local function wrapped(co, ok, ...)
  if ok then return ... end
  if co_status(co) == "dead" then co_close(co) end
  error((...), 0)
end

M.coroutine = {
  create = function(fn)
    if type(fn) ~= "function" then errors.bad("bad argument #1 to 'create' (function expected)") end
    return create(fn)
  end,
  resume = resume,
  wrap = function(fn)
    if type(fn) ~= "function" then errors.bad("bad argument #1 to 'wrap' (function expected)") end
    local co = create(fn)
    return function(...) return wrapped(co, resume(co, ...)) end
  end,
  close = function(co)
    if inside[co] then return false, "cannot close a coroutine that waits for a host call" end
    return checked(co_close(co))
  end,
  yield = co_yield, status = co_status, running = co_running, isyieldable = isyieldable,
}

function M.pcall(...) return checked(pcall(...)) end
function M.xpcall(fn, on_error, ...)
  if type(on_error) ~= "function" then
    errors.bad("bad argument #2 to 'xpcall' (function expected)")
  end
  return checked(xpcall(fn, function(...)
    if dead then return dead end
    return on_error(...)
  end, ...))
end

M.max_tasks = math.huge
return M
