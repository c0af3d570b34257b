-- The globals of the host: empty tables in front of private ones, so scripts cannot change them.
--
-- Their functions are made when the script first touches them. A function may be called with a
-- dot or a colon, and by any of its names in both spellings.
local json = import("json")
local errors = import("errors")
local spelling = import("spelling")
local proxies = import("proxies")
local type, next, rawget, setmetatable, select = type, next, rawget, setmetatable, select
local format = string.format
local fail, snake, read_only = errors.fail, spelling.snake, spelling.read_only

local M = { snake = snake, object = spelling.object, flush = proxies.flush }

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
  if not own and not guest then return proxies.bind(front, global, name) end
  own = own or native(global .. "." .. name)
  return function(...)
    if (...) == front then return own(select(2, ...)) end
    return own(...)
  end
end

-- The private table of a global's functions, made when the script first touches it.
local function expand(front, head)
  local declared = proxies.read(head)
  local name = declared.name
  local methods = {}
  for method, guest in next, declared.guest do
    if not declared.hidden[method] then
      methods[method] = global_method(front, name, method, guest)
    end
  end
  for method, builder in next, declared.builders do
    local text = name .. "." .. method
    methods[method] = function(...)
      local builders = import("builders")
      if (...) == front then return builders.new(name, text, builder, select(2, ...)) end
      return builders.new(name, text, builder, ...)
    end
  end
  if type(declared.values) == "table" then
    for key, value in next, declared.values do methods[key] = value end
  end
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
    local name = proxies.method_name(declared, key) or snake(key)
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
      found = proxies.new(declared.name .. "\0" .. key, declared.index,
        { id = key, name = key, type = declared.index })
      proxies.states[found].missing = function() not_a_method(declared.name, key, methods) end
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
  json.kinds[meta] = function() return nil, nil, "the global " .. name end
  globals[name] = front
  for _, alias in next, declared.aliases or {} do globals[alias] = front end
  return front
end

-- Declares globals: `{name, aliases, call, text}` each, `text` the compact manifest.
function M.declare(heads)
  for _, head in next, heads do proxies.unread[head] = true end
  for _, head in next, heads do define(head) end
end

-- A global of the prelude's own that no manifest declared.
function M.define_native(name, other_names)
  if rawget(globals, name) ~= nil then return end
  define({ name = name, methods = other_names or {}, guest = {}, hidden = {}, builders = {} })
end

return M
