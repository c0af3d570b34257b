-- Calls of the host, and their answers.
local errors = import("errors")
local json = import("json")
local M = import("tasks")
local isyieldable = coroutine.isyieldable
local type = type
local encode_args, decode, raise = json.encode_args, json.decode, errors.raise
local host_call = host.call
local suspend, push = M.suspend, M.push

M.pending = 0                        -- host calls without answer
M.calls = {}                         -- their id -> the task that waits, or a function
local calls = M.calls
local last = 0

-- Set by session.lua: what the host should have seen before the next call (output, logs).
M.before_call = { needed = false }
local before_call = M.before_call

-- Calls the host and waits for the answer.
function M.call(target, method, ...)
  if M.blocked or not isyieldable() then M.cannot_wait(method) end
  local args = encode_args(...)
  if before_call.needed then before_call.run() end
  local id, task = last + 1, M.current
  last = id
  local ok, text = host_call(id, target, method, args, task.origin)
  if ok == nil then
    calls[id], M.pending = task, M.pending + 1
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
  last = last + 1
  local id = last
  local ok, text = host_call(id, target, method, args, M.current and M.current.origin or 0)
  if ok == nil then
    calls[id], M.pending = on_answer, M.pending + 1
    return id
  end
  on_answer(ok, text)
end

-- Nobody waits for this call any more.
function M.drop_call(id)
  if id and calls[id] then
    calls[id], M.pending = nil, M.pending - 1
    host.cancel(id)
  end
end

-- An answer has come. Returns whether a task was woken by it.
function M.answered(id, ok, text)
  local waits = calls[id]
  if not waits then return false end
  calls[id], M.pending = nil, M.pending - 1
  if type(waits) == "function" then
    waits(ok, text)
    return false
  end
  waits.call, waits.answer_ok, waits.answer = nil, ok, text
  push(waits)
  return true
end

return M
