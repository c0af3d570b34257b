-- `Async.queue`: values from task to task, with push-back when it is full.
local errors = import("errors")
local json = import("json")
local scheduler = import("scheduler")
local setmetatable, tostring, math_type = setmetatable, tostring, math.type
local fail = errors.fail

local Queue = { __name = "queue", __metatable = false }
Queue.__index = Queue
local inner = setmetatable({}, { __mode = "k" })
Queue.__len = function(queue) return inner[queue].last - inner[queue].taken end
Queue.__tostring = function(queue) return "queue(" .. #queue .. ")" end
Queue.__newindex = function(queue) errors.bad(tostring(queue) .. " is read-only") end
json.kinds[Queue] = function() return nil, nil end

local function wake_first(list)
  local waiter = table.remove(list, 1)
  while waiter and waiter.awaits == nil do waiter = table.remove(list, 1) end
  if waiter then scheduler.wake(waiter) end
end

local function park(list, what)
  list[#list + 1] = scheduler.current
  scheduler.park(what)
end

function Queue.push(queue, value)
  local state = inner[queue]
  if value == nil then fail("input.invalid", "a queue cannot hold nil") end
  while not state.closed and state.last - state.taken >= state.most do
    park(state.pushing, "room in a queue")
  end
  if state.closed then fail("async.closed", "the queue is closed") end
  state.last = state.last + 1
  state.items[state.last] = value
  wake_first(state.popping)
end

-- The next value; nil when the queue is closed and empty.
function Queue.pop(queue)
  local state = inner[queue]
  while state.last == state.taken do
    if state.closed then return nil end
    park(state.popping, "a queue")
  end
  state.taken = state.taken + 1
  local value = state.items[state.taken]
  state.items[state.taken] = nil
  wake_first(state.pushing)
  return value
end
Queue.__call = Queue.pop

function Queue.close(queue)
  local state = inner[queue]
  state.closed = true
  for _ = 1, #state.popping do wake_first(state.popping) end
  for _ = 1, #state.pushing do wake_first(state.pushing) end
end

return function(most)
  if most ~= nil and (math_type(most) ~= "integer" or most < 1) then
    fail("input.invalid", "Async.queue takes the number of values it may hold, 1 or more")
  end
  local queue = {}
  inner[queue] = { items = {}, last = 0, taken = 0, most = most or math.huge, pushing = {}, popping = {} }
  return setmetatable(queue, Queue)
end

