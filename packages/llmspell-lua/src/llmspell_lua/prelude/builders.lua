-- Builders: collect in the engine what a method of the host makes something of.
local json = import("json")
local errors = import("errors")
local scheduler = import("scheduler")
local spelling = import("spelling")
local proxies = import("proxies")
local type, tostring, next, setmetatable, select = type, tostring, next, setmetatable, select
local sub, format, find = string.sub, string.format, string.find
local call, fail, snake, read_only = scheduler.call, errors.fail, spelling.snake, spelling.read_only

local M = {}
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
function M.new(target, name, declared, first, second)
  local it = {}
  local data = {}
  for _, given in next, { first, second } do
    if type(given) == "string" then
      data.name = given
    elseif type(given) == "table" and not collected[given] and not proxies.states[given] then
      for key, value in next, given do data[key] = value end
    end
  end
  collected[it] = {
    target = target, name = name, data = data, bound = {}, setters = declared.setters,
    build = declared.build, finish = declared.finish or {},
  }
  return setmetatable(it, Builder)
end

return M
