-- Turns: the engine runs until every task waits, and then says so.
--
-- When nothing is left that could wake a task, those that wait fail at once. When the last task
-- has ended, failures that nobody has looked at are reported.
local errors = import("errors")
local M = import("calls")
import("coroutines")
local next, type, pcall = next, type, pcall
local tasks, reports, failed, calls = M.tasks, M.reports, M.failed, M.calls

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
    M.interrupt(task, {
      code = "async.deadlock", retryable = false,
      message = "waiting for " .. what .. ", and nothing is left that could end the wait",
    })
  end
end

-- The host may be about to call a function of the script (for an event that was just sent), so
-- while it holds any, a deadlock is only believed after a moment of silence.
local silence
local function maybe_deadlocked()
  if not M.may_be_called() then return deadlocked() end
  silence = M.start_call("Async", "sleep", "[50]", function()
    silence = nil
    if M.live > 0 and M.pending == 0 and M.none_ready() then deadlocked() end
  end)
end

local function broken_silence()
  if silence then
    M.drop_call(silence)
    silence = nil
  end
end

-- The script is over: everything that somebody waits for gets the reason.
local function collapse()
  for id in next, calls do
    host.cancel(id)
    calls[id] = nil
  end
  M.pending, silence = 0, nil
  local text = errors.to_json(M.dead)
  -- With nothing open, the host would not learn that the script has ended itself.
  if next(reports) == nil then host.unhandled(text) end
  for id in next, reports do host.done(id, false, text) end
  M.forget_all()
end

local function report_failed()
  for i = 1, #failed do
    local task = failed[i]
    failed[i] = nil
    if not task.seen and not task.cancelled then host.unhandled(M.failure(task)) end
  end
end

-- Returns whether no task is left.
local function turn()
  M.run_ready()
  while not M.dead and M.live > 0 and M.pending == 0 do
    maybe_deadlocked()
    M.run_ready()
  end
  if M.dead then
    collapse()
  elseif M.live == 0 then
    if #failed > 0 then report_failed() end
    broken_silence()
  end
  M.end_of_turn()
  return M.live == 0
end
M.turn = turn

function M.answer(id, ok, text)
  if M.answered(id, ok, text) then broken_silence() end
  return turn()
end

function M.cancel_report(id)
  local task = reports[id]
  if task then M.cancel(task) end
  return turn()
end

-- Starts a task for the host; `mode` is how its results are given.
function M.start(report, mode, fn, ...)
  if M.dead then
    host.done(report, false, errors.to_json(M.dead))
    return true
  end
  broken_silence()
  local task = M.spawn_always(fn, report, ...)
  task.mode = mode
  if mode == "eval" then M.watch_return(task.co, fn, M.keep_locals) end
  return turn()
end

-- The function of the script that a task of the prelude's runs for.
function M.runs(fn) M.current.fn = fn end

-- Ends the script from outside.
function M.stop(code, message)
  pcall(M.die, { code = code, message = message, retryable = false })
  return turn()
end

return M
