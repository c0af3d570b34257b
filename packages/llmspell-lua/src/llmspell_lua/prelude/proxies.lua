-- Host objects in the script's hands: empty tables in front of a handle.
--
-- Scripts cannot change them. Methods are bound: `a:execute(x)`, `a.execute(x)` and
-- `local f = a.execute` are the same call.
local json = import("json")
local errors = import("errors")
local scheduler = import("scheduler")
local spelling = import("spelling")
local MARKERS = import("results")
local type, tostring, next, setmetatable, select, pcall =
  type, tostring, next, setmetatable, select, pcall
local format, concat = string.format, table.concat
local call, snake, read_only = scheduler.call, spelling.snake, spelling.read_only

local M = {}
local unread = {}                    -- globals whose declarations are still text
M.unread = unread
local types = {}                     -- declarations of host objects by type name
local states = setmetatable({}, { __mode = "k" })   -- proxy -> handle, fields, declaration, ...
M.states = states
local proxies = setmetatable({}, { __mode = "v" })  -- handle -> proxy
local lost, lost_count = {}, 0

local metas = {}

-- What a generic `for` reads and can close is given as `io.lines` gives it: with a closing value.
local function closing(value, ...)
  local state = type(value) == "table" and states[value]
  if state and state.declared.iterate and state.declared.methods.close then
    return value, nil, nil, value
  end
  return value, ...
end

-- A method as a function that knows its receiver.
function M.bind(receiver, target, method)
  return function(...)
    if (...) == receiver then return closing(call(target, method, select(2, ...))) end
    return closing(call(target, method, ...))
  end
end

function M.method_name(declared, key)
  local methods = declared.methods
  local found = methods[key]
  if found == nil then
    key = snake(key)
    found = methods[key]
  end
  return found
end

local function object_index(proxy, key)
  local state = states[proxy]
  local value = state.fields[key]
  if value ~= nil then return value end
  value = state.bound[key]
  if value ~= nil or type(key) ~= "string" then return value end
  local declared = state.declared
  local name = M.method_name(declared, key)
  if name then
    value = M.bind(proxy, state.target, name)
    state.bound[key] = value
    return value
  end
  local builder = declared.builders[key] or declared.builders[snake(key)]
  if builder then
    local text = state.type .. "." .. key
    return function(...) return import("builders").new(state.target, text, builder, ...) end
  end
  return state.fields[snake(key)]
end

-- The declaration of a global, read when first needed: a start reads none.
function M.read(head)
  if head.text then
    local full = json.read(head.text)
    head.text, unread[head] = nil, nil
    for key, value in next, full do head[key] = value end
    for type_name, object in next, full.objects do types[type_name] = object end
  end
  return head
end

local function type_of(type_name)
  while types[type_name] == nil and next(unread) do M.read((next(unread))) end
  return types[type_name]
end

local function leave(target) pcall(call, target, "close") end

-- What a generic `for` was given next; at the end there is nothing left to close.
local function read(state, ...)
  if (...) == nil then state.left = true end
  return ...
end

local function object_meta(type_name)
  local meta = metas[type_name]
  if meta then return meta end
  local declared = type_of(type_name)
  meta = {
    __name = type_name, __metatable = false, __index = object_index, __newindex = read_only,
    __tostring = function(proxy)
      local fields = states[proxy].fields
      return format("%s(%s)", type_name, tostring(fields.name or fields.id or "?"))
    end,
    __pairs = function(proxy)
      local fields = states[proxy].fields
      return function(_, key) return next(fields, key) end, proxy, nil
    end,
    __gc = function(proxy)
      local state = states[proxy]
      if type(state.target) == "number" then
        for _ = 1, state.received do
          lost_count = lost_count + 1
          lost[lost_count] = state.target
        end
        scheduler.before_call.needed = true
      end
    end,
    -- A loop was left early. A `__close` may stand where nothing can wait, so a task does it.
    __close = function(proxy)
      local state = states[proxy]
      if state.left or not state.declared.methods.close then return end
      state.left = true
      scheduler.spawn_always(leave, nil, state.target)
    end,
  }
  -- Called by a generic `for`; a misspelt method of a global with an index ends here as well.
  local iterate = declared and declared.iterate
  meta.__call = function(proxy)
    local state = states[proxy]
    if state.missing then state.missing() end
    if not iterate then errors.bad("attempt to call " .. tostring(proxy)) end
    return read(state, call(state.target, iterate))
  end
  json.kinds[meta] = function(proxy, channel)
    local state = states[proxy]
    if not channel then return nil, state.fields end
    local target = state.target
    return '{"$h":' .. (type(target) == "number" and target or json.quote(target)) .. "}"
  end
  metas[type_name] = meta
  return meta
end

local UNKNOWN = { methods = {}, builders = {} }

function M.new(target, type_name, fields)
  local proxy = {}
  states[proxy] = {
    target = target, type = type_name, fields = fields, bound = {}, received = 1,
    declared = type_of(type_name) or UNKNOWN,
  }
  return setmetatable(proxy, object_meta(type_name))
end

MARKERS["$h"] = function(data)
  local handle, type_name, fields = data[1], data[2], data[3] or {}
  local proxy = proxies[handle]
  if proxy then
    local state = states[proxy]
    state.received = state.received + 1
    state.fields = fields
    return proxy
  end
  if fields.type == nil then fields.type = type_name end
  proxy = M.new(handle, type_name, fields)
  proxies[handle] = proxy
  return proxy
end

-- Handles that the script has lost, once for each time they arrived; so many at once.
local MOST_LOST = 10000

function M.flush()
  if lost_count == 0 then return end
  local list = lost
  lost, lost_count = {}, 0
  for from = 1, #list, MOST_LOST do
    host.drop("[" .. concat(list, ",", from, math.min(from + MOST_LOST - 1, #list)) .. "]")
  end
end

return M
