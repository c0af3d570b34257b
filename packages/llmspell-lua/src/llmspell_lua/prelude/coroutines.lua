-- What the script sees of coroutines and of catching errors.
--
-- Waits for the host travel through the script's own coroutines: the wrapper around resume passes
-- a TAG further up and, when the task goes on, resumes down again.
local errors = import("errors")
local M = import("tasks")
local co_resume, co_yield, co_status = coroutine.resume, coroutine.yield, coroutine.status
local co_running, co_close, isyieldable = coroutine.running, coroutine.close, coroutine.isyieldable
local pcall, xpcall, error, type = pcall, xpcall, error, type
local TAG, inside, checked, create = M.TAG, M.inside, M.checked, M.create

local function pass(co, ok, tag, ...)
  if M.dead then error(M.dead, 0) end
  if ok and tag == TAG then
    local me = co_running()
    inside[me] = true
    co_yield(TAG)
    inside[me] = nil
    return pass(co, co_resume(co))
  end
  return ok, tag, ...
end

local function unblocked(...)
  M.blocked = false
  return ...
end

local function resume(co, ...)
  if inside[co] then return false, "cannot resume a coroutine that waits for a host call" end
  M.counted()
  if not M.blocked and not isyieldable() then
    -- Waits inside could not travel further up: they are refused where they stand.
    M.blocked = true
    return checked(unblocked(pass(co, co_resume(co, ...))))
  end
  return checked(pass(co, co_resume(co, ...)))
end

local function wrapped(co, ok, ...)
  if ok then return ... end
  if co_status(co) == "dead" then co_close(co) end
  error((...), 0)
end

local function need_function(fn, name)
  if type(fn) ~= "function" then
    errors.bad("bad argument #1 to '" .. name .. "' (function expected)")
  end
end

M.coroutine = {
  create = function(fn)
    need_function(fn, "create")
    return create(fn)
  end,
  resume = resume,
  wrap = function(fn)
    need_function(fn, "wrap")
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
    if M.dead then return M.dead end
    return on_error(...)
  end, ...))
end

return M
