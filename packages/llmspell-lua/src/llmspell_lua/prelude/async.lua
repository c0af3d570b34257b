-- The `Async` global.
local errors = import("errors")
local json = import("json")
local objects = import("objects")
local scheduler = import("scheduler")
local promises = import("promises")
local type, next, tostring, error = type, next, tostring, error
local pack, unpack, sort = table.pack, table.unpack, table.sort
local math_type, floor, format = math.type, math.floor, string.format
local call, await, cancel = scheduler.call, scheduler.await, scheduler.cancel
local settle, when_done, spawn = scheduler.settle, scheduler.when_done, scheduler.spawn
local promise, task_of, shown = promises.promise, promises.task_of, promises.shown
local fail = errors.fail

local Async = { yield = scheduler.yield }
objects.natives.Async = Async

local function need_function(fn, what)
  if type(fn) ~= "function" then
    fail("input.invalid", what .. " takes a function, not a " .. type(fn))
  end
end

local function milliseconds(value, what)
  if type(value) ~= "number" or value ~= value or value < 0 then
    fail("input.invalid", what .. ": milliseconds must be a number of 0 or more")
  end
  return value
end

-- An error as it is collected: always an object.
local function collected(it)
  local e = it.results[1]
  if errors.is(e) then return e end
  return errors.new(errors.describe(e, it.place, nil, it.text))
end

function Async.promise(fn)
  need_function(fn, "Async.promise")
  return promises.new(fn)
end

-- Read when first used, as they are rare.
function Async.queue(...) return import("queues")(...) end

function Async.spawn(fn, ...)
  need_function(fn, "Async.spawn")
  return shown(spawn(fn, ...))
end

function Async.await(value)
  local it = task_of(value)
  if not it then
    fail("input.invalid", "Async.await takes a task or a promise, not a " .. type(value))
  end
  return await(it)
end

function Async.sleep(ms) return call("Async", "sleep", milliseconds(ms, "Async.sleep")) end

-- several at once --------------------------------------------------------------------------------

-- The keys in their order, and whether they are those of a list.
local function keys_of(items, what)
  if type(items) ~= "table" or task_of(items) then
    fail("input.invalid", what .. " takes a list or a table of tasks, functions or promises")
  end
  local keys, count = {}, 0
  for key in next, items do
    count = count + 1
    keys[count] = key
  end
  local length = #items
  if count == length then
    for i = 1, count do keys[i] = i end
    return keys, true
  end
  sort(keys, function(a, b)
    if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then return a < b end
    return tostring(a) < tostring(b)
  end)
  return keys, false
end

-- What an item stands for, and whether it was started here.
local function started(item)
  if type(item) == "function" then return spawn(item), true end
  local it = task_of(item)
  if it then return it, false end
  it = promise()
  settle(it, true, pack(item))
  return it, false
end

local function cancel_all(list)
  for i = 1, #list do
    list[i].seen = true
    if list[i] ~= scheduler.current then cancel(list[i]) end
  end
end

-- Waits for `master`; whatever ends the wait, the tasks started for it end as well.
local function await_and_clean(master, own)
  local results = pack(scheduler.pcall(await, master))
  cancel_all(own)
  if results[1] then return unpack(results, 2, results.n) end
  error(results[2], 0)
end

local CONCURRENCY = { concurrency = true }

-- Starts the items, at most `concurrency` at once; `each(key, it)` takes what has ended and says
-- whether to go on.
local function gather(items, options, what, each)
  local keys, is_list = keys_of(items, what)
  options = errors.check_options(options, CONCURRENCY, what)
  local most = options.concurrency or #keys
  if math_type(most) ~= "integer" or most < 1 and #keys > 0 then
    fail("input.invalid", what .. ": concurrency must be a whole number of 1 or more")
  end
  local master, own = promise(), {}
  local started_count, ended, running, launching = 0, 0, 0, false
  local function launch()
    if launching then return end
    launching = true
    while running < most and started_count < #keys and not master.done do
      started_count = started_count + 1
      local key = keys[started_count]
      local it, is_own = started(items[key])
      if is_own then own[#own + 1] = it end
      running = running + 1
      when_done(it, function(one)
        running, ended = running - 1, ended + 1
        if master.done then return end
        each(key, one, master)
        if not master.done and ended == #keys then settle(master, true, { n = 0 }) end
        if not master.done then
          -- In the loop nothing may fail: a limit that was reached ends the whole.
          local ok, e = scheduler.pcall(launch)
          if not ok then settle(master, false, pack(e)) end
        end
      end)
    end
    launching = false
  end
  if #keys == 0 then settle(master, true, { n = 0 }) end
  local ok, e = scheduler.pcall(launch)
  if not ok then
    cancel_all(own)
    error(e, 0)
  end
  return master, own, is_list
end

function Async.all(items, options)
  local results = {}
  local master, own, is_list = gather(items, options, "Async.all", function(key, it, whole)
    if it.ok then results[key] = it.results[1] else settle(whole, false, it.results) end
  end)
  await_and_clean(master, own)
  return is_list and json.array(results) or results
end

function Async.all_settled(items, options)
  local results = {}
  local master, own, is_list = gather(items, options, "Async.all_settled", function(key, it)
    if it.ok then
      results[key] = { success = true, value = it.results[1] }
    else
      results[key] = { success = false, error = collected(it) }
    end
  end)
  await_and_clean(master, own)
  return is_list and json.array(results) or results
end

function Async.race(items, options)
  if type(items) == "table" and next(items) == nil then
    fail("input.invalid", "Async.race needs at least one task, function or promise")
  end
  local master, own = gather(items, options, "Async.race", function(_, it, whole)
    settle(whole, it.ok, it.results)
  end)
  return await_and_clean(master, own)
end

-- time -------------------------------------------------------------------------------------------

function Async.timeout(ms, fn, ...)
  milliseconds(ms, "Async.timeout")
  local it = task_of(fn)
  if not it then
    need_function(fn, "Async.timeout")
    it = spawn(fn, ...)
  end
  local master = promise()
  local place = errors.where()
  local timer = scheduler.start_call("Async", "sleep", json.encode_args(ms), function()
    if master.done then return end
    settle(master, false, pack(errors.new({
      code = "timeout", message = format("timed out after %s ms", tostring(ms)), retryable = true,
      source = place,
    })))
  end)
  when_done(it, function(ended)
    if not master.done then settle(master, ended.ok, ended.results) end
  end)
  local results = pack(scheduler.pcall(await, master))
  scheduler.drop_call(timer)
  cancel_all({ it })
  if results[1] then return unpack(results, 2, results.n) end
  error(results[2], 0)
end

local RETRY = { max_attempts = true, backoff_ms = true, multiplier = true, jitter = true }

function Async.retry(fn, options)
  need_function(fn, "Async.retry")
  local plain = errors.check_options(options, RETRY, "Async.retry")
  local attempts, wait = plain.max_attempts or 3, plain.backoff_ms or 500
  local jitter = plain.jitter
  if jitter == nil or jitter == true then jitter = 0.5 end
  jitter = jitter or 0
  for attempt = 1, attempts do
    local results = pack(scheduler.pcall(fn, attempt))
    if results[1] then return unpack(results, 2, results.n) end
    local e = results[2]
    if attempt == attempts or errors.is(e) and e.code == "cancelled" then error(e, 0) end
    local ms = wait
    if jitter > 0 then ms = ms * (1 + jitter * (2 * math.random() - 1)) end
    if ms > 0 then Async.sleep(floor(ms)) end
    wait = wait * (plain.multiplier or 2)
  end
end

return Async
