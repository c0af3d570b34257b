-- What the host shows to scripts: globals, host objects, builders, results.
--
-- All are empty tables in front of private ones, so scripts cannot change them. Methods are
-- bound: `a:execute(x)`, `a.execute(x)` and `local f = a.execute` are the same call.
local json = import("json")
local errors = import("errors")
local scheduler = import("scheduler")
local type, tostring, next, rawget, setmetatable = type, tostring, next, rawget, setmetatable
local select, pcall = select, pcall
local getmetatable = debug.getmetatable
local gsub, sub, byte, format, find = string.gsub, string.sub, string.byte, string.format, string.find
local call, fail = scheduler.call, errors.fail

local M = {}
local unread = {}                    -- globals whose declarations are still text
local types = {}                     -- declarations of host objects by type name

-- Guest methods of the prelude: global -> method -> function. Files are read when a script first
-- touches their global.
local IN_FILE = { Async = "async", Logger = "logger", Debug = "logger" }
local natives = setmetatable({}, { __index = function(self, global)
  if IN_FILE[global] then
    import(IN_FILE[global])
    return rawget(self, global)
  end
end })
M.natives = natives

-- spelling ---------------------------------------------------------------------------------------

local function lower(letter) return "_" .. string.lower(letter) end

-- `systemPrompt` -> `system_prompt`
local function snake(name)
  if find(name, "^%l[%w_]*%u") then return (gsub(name, "%u", lower)) end
  return name
end
M.snake = snake

-- results ----------------------------------------------------------------------------------------

local result_metas = {}

local function result_meta(via, prints)
  local id = (via or "") .. "\0" .. (prints or "")
  local meta = result_metas[id]
  if meta then return meta end
  meta = { __name = "result" }
  if prints then
    meta.__tostring = function(result) return tostring(rawget(result, prints)) end
    meta.__concat = function(a, b) return tostring(a) .. tostring(b) end
  end
  meta.__index = function(result, key)
    if type(key) ~= "string" then return nil end
    local other = snake(key)
    if other ~= key then
      local value = rawget(result, other)
      if value ~= nil then return value end
    end
    local inner = via and rawget(result, via)
    if type(inner) == "table" then
      local value = inner[key]
      if value == nil and other ~= key then value = inner[other] end
      return value
    end
  end
  result_metas[id] = meta
  return meta
end

-- Binds the functions of an object of the prelude's own, which take no receiver, so that it may
-- be called with a colon as well; under both spellings.
function M.object(type_name, text, methods)
  local it, bound = {}, {}
  for name, fn in next, methods do
    bound[name] = function(...)
      if (...) == it then return fn(select(2, ...)) end
      return fn(...)
    end
  end
  return setmetatable(it, {
    __name = type_name, __metatable = false,
    __newindex = function() errors.bad(text .. " is read-only") end,
    __tostring = function() return text end,
    __index = function(_, key) return bound[key] or type(key) == "string" and bound[snake(key)] or nil end,
    __pairs = function() return function(_, key) return next(bound, key) end, it, nil end,
  })
end

-- host objects -----------------------------------------------------------------------------------

local states = setmetatable({}, { __mode = "k" })   -- proxy -> handle, fields, declaration, ...
local proxies = setmetatable({}, { __mode = "v" })  -- handle -> proxy
local lost, lost_count = {}, 0

local metas = {}

local function read_only(it) errors.bad(tostring(it) .. " is read-only") end

-- A method as a function that knows its receiver.
local function bind(receiver, target, method)
  return function(...)
    if (...) == receiver then return call(target, method, select(2, ...)) end
    return call(target, method, ...)
  end
end

local function method_name(declared, key)
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
  local name = method_name(declared, key)
  if name then
    value = bind(proxy, state.target, name)
    state.bound[key] = value
    return value
  end
  local builder = declared.builders[key] or declared.builders[snake(key)]
  if builder then
    return function(...) return M.builder(state.target, state.type .. "." .. key, builder, ...) end
  end
  return state.fields[snake(key)]
end

-- The declaration of a global, read when first needed: a start reads none.
local function read(head)
  if head.text then
    local full = json.read(head.text)
    head.text, unread[head] = nil, nil
    for key, value in next, full do head[key] = value end
    for type_name, object in next, full.objects do types[type_name] = object end
  end
  return head
end

local function type_of(type_name)
  while types[type_name] == nil and next(unread) do read((next(unread))) end
  return types[type_name]
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
  }
  -- Called by a generic `for`; a misspelt method of a global with an index ends here as well.
  local iterate = declared and declared.iterate
  meta.__call = function(proxy)
    local state = states[proxy]
    if state.missing then state.missing() end
    if not iterate then errors.bad("attempt to call " .. tostring(proxy)) end
    return call(state.target, iterate)
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

local function new_proxy(target, type_name, fields)
  local proxy = {}
  states[proxy] = {
    target = target, type = type_name, fields = fields, bound = {}, received = 1,
    declared = type_of(type_name) or UNKNOWN,
  }
  return setmetatable(proxy, object_meta(type_name))
end

local function received(data)
  local handle, type_name, fields = data[1], data[2], data[3] or {}
  local proxy = proxies[handle]
  if proxy then
    local state = states[proxy]
    state.received = state.received + 1
    state.fields = fields
    return proxy
  end
  if fields.type == nil then fields.type = type_name end
  proxy = new_proxy(handle, type_name, fields)
  proxies[handle] = proxy
  return proxy
end

-- Handles that the script has lost, once for each time they arrived.
function M.flush()
  if lost_count == 0 then return end
  local list = lost
  lost, lost_count = {}, 0
  host.drop(json.stringify(json.array(list)))
end

local functions = import("functions")

function json.special(key, value)
  if key == "$h" then return received(value) end
  if key == "$r" then return setmetatable(value[1], result_meta(value[2], value[3])) end
  if key == "$b" then return host.unbase64(value) end
  if key == "$e" then return errors.new(value) end
  if key == "$f" then return functions.get(value) end
  fail("value.not_json", 'unknown marker "' .. key .. '"')
end

-- builders ---------------------------------------------------------------------------------------

local collected = setmetatable({}, { __mode = "k" })

local function one_or_list(...)
  local many = select("#", ...)
  if many == 1 then return (...) end
  if many == 0 then return true end
  local list = { ... }
  for i = 1, many do
    if list[i] == nil then list[i] = json.null end
  end
  return json.array(list)
end

local OPERATIONS = {
  set = function(data, field, ...) data[field] = one_or_list(...) end,
  append = function(data, field, ...)
    local list = data[field]
    if type(list) ~= "table" then
      list = json.array({ list })
      data[field] = list
    end
    list[#list + 1] = one_or_list(...)
  end,
  put = function(data, field, key, value)
    if type(data[field]) ~= "table" then data[field] = {} end
    data[field][key] = value
  end,
}

local Builder = { __name = "builder", __metatable = false, __newindex = read_only }
Builder.__tostring = function(it) return "builder(" .. collected[it].name .. ")" end
Builder.__pairs = function(it)
  return function(_, key) return next(collected[it].setters, key) end, it, nil
end
json.kinds[Builder] = function(it) return nil, collected[it].data end

local function setter(it, state, operation, field)
  local flag = find(operation, "^flag:") and sub(operation, 6)
  local apply = OPERATIONS[operation]
  return function(...)
    if flag then
      state.data[field] = flag
    elseif (...) == it then
      apply(state.data, field, select(2, ...))
    else
      apply(state.data, field, ...)
    end
    return it
  end
end

Builder.__index = function(it, key)
  local state = collected[it]
  local found = state.bound[key]
  if found then return found end
  local name = type(key) == "string" and snake(key) or key
  local spec = state.setters[key] or state.setters[name]
  if spec then
    found = setter(it, state, spec[1], spec[2])
  else
    local method = name == "build" and state.build or state.finish[name]
    if not method then
      local known = { build = true }
      for setter_name in next, state.setters do known[setter_name] = true end
      fail("input.invalid", format('%s has no setter "%s"', state.name, tostring(key)),
        errors.nearest(name, known))
    end
    found = function() return call(state.target, method, state.data) end
  end
  state.bound[key] = found
  return found
end

-- `Agent.builder()`: collects; `build()` and the finishing methods call the host.
function M.builder(target, name, declared, first, second)
  local it = {}
  local data = {}
  for _, given in next, { first, second } do
    if type(given) == "string" then
      data.name = given
    elseif type(given) == "table" and not collected[given] and not states[given] then
      for key, value in next, given do data[key] = value end
    end
  end
  collected[it] = {
    target = target, name = name, data = data, bound = {}, setters = declared.setters,
    build = declared.build, finish = declared.finish or {},
  }
  return setmetatable(it, Builder)
end

-- globals ----------------------------------------------------------------------------------------

local function native(name)
  local ask = host.native
  return function(...)
    local ok, text = ask(name, json.encode_args(...))
    if ok then return json.decode(text) end
    errors.raise(json.decode(text))
  end
end

local function global_method(front, global, name, guest)
  local own = natives[global] and natives[global][name]
  if not own and not guest then return bind(front, global, name) end
  own = own or native(global .. "." .. name)
  return function(...)
    if (...) == front then return own(select(2, ...)) end
    return own(...)
  end
end

-- The private table of a global's functions, made when the script first touches it.
local function expand(front, head)
  local declared = read(head)
  local name = declared.name
  local methods = {}
  for method, guest in next, declared.guest do
    if not declared.hidden[method] then methods[method] = global_method(front, name, method, guest) end
  end
  for method, builder in next, declared.builders do
    methods[method] = function(...)
      if (...) == front then return M.builder(name, name .. "." .. method, builder, select(2, ...)) end
      return M.builder(name, name .. "." .. method, builder, ...)
    end
  end
  for key, value in next, declared.values or {} do methods[key] = value end
  for key, value in next, natives[name] or {} do
    if methods[key] == nil and declared.guest[key] == nil and not declared.methods[key] then
      methods[key] = value
    end
  end
  return methods
end

local function not_a_method(global, key, methods)
  fail("name.not_found", format('%s has no method "%s"', global, key), errors.nearest(key, methods))
end

-- Methods under another spelling or name; then, where the global has an index, named objects.
local function otherwise(front, declared, methods)
  local others, indexed = {}, setmetatable({}, { __mode = "v" })
  return function(_, key)
    if type(key) ~= "string" then return nil end
    local found = others[key] or indexed[key]
    if found ~= nil then return found end
    local name = method_name(declared, key) or snake(key)
    -- Raw: this very function is what `methods` asks for what it does not have.
    found = rawget(methods, name)
    if found == nil and declared.hidden[name] then
      found = global_method(front, declared.name, name, declared.guest[name])
    end
    if found ~= nil then
      others[key] = found
      return found
    end
    if declared.index then
      found = new_proxy(declared.name .. "\0" .. key, declared.index,
        { id = key, name = key, type = declared.index })
      states[found].missing = function() not_a_method(declared.name, key, methods) end
      indexed[key] = found
      return found
    end
  end
end

local function define(declared)
  local name = declared.name
  local front, meta = {}, nil
  local function methods()
    local own = expand(front, declared)
    meta.__index = setmetatable(own, { __index = otherwise(front, declared, own) })
    return own
  end
  meta = {
    __name = name, __metatable = false, __newindex = read_only,
    __tostring = function() return name end,
    __index = function(_, key)
      methods()
      return front[key]
    end,
    __pairs = function()
      local own = type(meta.__index) == "table" and meta.__index or methods()
      return function(_, key) return next(own, key) end, front, nil
    end,
  }
  if declared.call then
    local method = declared.call
    meta.__call = function(_, ...) return front[method](...) end
  end
  setmetatable(front, meta)
  globals[name] = front
  for _, alias in next, declared.aliases or {} do globals[alias] = front end
  return front
end

-- Declares globals: `{name, aliases, call, text}` each, `text` the compact manifest.
function M.declare(heads)
  for _, head in next, heads do unread[head] = true end
  for _, head in next, heads do define(head) end
end

-- A global of the prelude's own that no manifest declared.
function M.define_native(name, other_names)
  if rawget(globals, name) ~= nil then return end
  define({ name = name, methods = other_names or {}, guest = {}, hidden = {}, builders = {} })
end

return M
