-- Both spellings of names, and objects of the prelude's own that answer to both.
local errors = import("errors")
local type, next, setmetatable, select = type, next, setmetatable, select
local gsub, find, lower = string.gsub, string.find, string.lower

local M = {}

local function underscored(letter) return "_" .. lower(letter) end

-- `systemPrompt` -> `system_prompt`
local function snake(name)
  if find(name, "^%l[%w_]*%u") then return (gsub(name, "%u", underscored)) end
  return name
end
M.snake = snake

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
    __index = function(_, key)
      return bound[key] or type(key) == "string" and bound[snake(key)] or nil
    end,
    __pairs = function() return function(_, key) return next(bound, key) end, it, nil end,
  })
end

function M.read_only(it) errors.bad(tostring(it) .. " is read-only") end

return M
