-- How a script is stopped for good, and what counts its instructions.
--
-- Every coroutine has a count hook that asks the guest module for the time. Once the script must
-- end nothing of it runs to an end: every wrapper of pcall and its like throws `dead` again, and
-- the hook fires at once, so that neither handlers nor `__close` can keep the script alive.
local errors = import("errors")
local co_create, co_running = coroutine.create, coroutine.running
local sethook, getinfo = debug.sethook, debug.getinfo
local setmetatable, type, error = setmetatable, type, error
local tick = host.tick

-- The table that limits.lua, tasks.lua, calls.lua, coroutines.lua and scheduler.lua share.
local M = {
  dead = nil,      -- the error that ends the whole script, once it is set
  current = nil,   -- the task that runs
  blocked = false, -- whether a C function stands between here and the task
}

M.MEMORY = "not enough memory" -- what lupa's allocator makes Lua throw
local MEMORY = M.MEMORY
local STEP = 100000            -- instructions between two looks at the clock

local hook

function M.die(fields)
  if not M.dead then
    M.dead = setmetatable(fields, errors.Error)
    fields.source = fields.source or errors.where()
  end
  local _, is_main = co_running()
  if not is_main then sethook(hook, "", 1) end
  error(M.dead, 0)
end

local MESSAGES = {
  ["script.cpu_limit"] = "the script used up its CPU time",
  ["script.instructions_limit"] = "the script used up its instructions",
  ["script.memory_limit"] = "the script used up its memory",
}

function M.die_of(code)
  M.die({ code = code, message = MESSAGES[code] or "the script was stopped", retryable = false })
end

-- `level` is the function of the script, seen from here. A hook may strike while the prelude
-- changes its own buffers: they are handed over only where the caller, or a line of the script
-- at that level, says that it does not.
local function look(level, between)
  if M.dead then error(M.dead, 0) end
  local code = tick()
  if code == true then
    local info = getinfo(level, "Sl")
    if between or info and info.currentline > 0 then M.housekeeping(info) end
  elseif code then
    M.die_of(code)
  end
end
M.look = look

function hook() look(3) end

function M.create(fn)
  local co = co_create(fn)
  sethook(co, hook, "", STEP)
  return co
end

-- Calls `on_return(level)` when `fn` returns in this coroutine, beside the counting.
function M.watch_return(co, fn, on_return)
  sethook(co, function(event)
    if event == "return" then
      if getinfo(2, "f").func == fn then on_return(2) end
    else
      look(3) -- as a tail call it would be one level nearer, and never see a line of the script
    end
  end, "r", STEP)
end

-- Short coroutines never reach the count of their hook, and failures are few instructions that
-- take long: those who resume the ones and catch the others count as well.
local resumed = 0
function M.counted(weight)
  resumed = resumed + (weight or 1)
  if resumed >= 200 then
    resumed = 0
    look(4, true)
  end
end

-- What pcall and its like do with an outcome before the script sees it.
function M.checked(ok, e, ...)
  if M.dead then error(M.dead, 0) end
  if not ok then
    M.counted(10) -- an overflow of the stack may take ten milliseconds
    if e == MEMORY then M.die_of("script.memory_limit") end
    if type(e) == "userdata" then e = "an internal error" end
  end
  return ok, e, ...
end

return M
