-- What both directions of the JSON codec share: the two marks of values, and the bounds.
local setmetatable, getmetatable, type, error = setmetatable, debug.getmetatable, type, error

local M = {}

-- Metatable -> how its tables are written: "array", or a function `(value, for the channel)`
-- that gives a text, a plain table to write instead, or an opening text (`{"$e":`) and the table
-- that follows it. Other files add theirs (host objects, errors, builders).
local kinds = {}
M.kinds = kinds

local ARRAY = { __name = "array", __metatable = false }
kinds[ARRAY] = "array"
M.ARRAY = ARRAY

-- Metatables of data: a script sees none there, and may put its own in their place. Changed by a
-- script they would be those of later values as well.
M.marks = { [ARRAY] = true }

-- Marks a table as an array, so that an empty one is written as [].
function M.array(list) return setmetatable(list or {}, ARRAY) end

-- The same for scripts, which may give anything.
function M.as_array(list)
  if list == nil then return M.array() end
  local meta = type(list) == "table" and getmetatable(list)
  if meta == ARRAY then return list end
  if type(list) ~= "table" or meta and meta.__metatable ~= nil then
    local what = meta and meta.__name or "a " .. type(list)
    M.fail("input.invalid", "JSON.array: a list is expected, not " .. what)
  end
  return M.array(list)
end

M.null = setmetatable({}, {
  __name = "null", __metatable = false,
  __tostring = function() return "null" end,
  __newindex = function() error("JSON.null is read-only", 2) end,
})

-- Set by the session: bounds of one value.
M.max_depth, M.max_size = 64, math.huge

-- Set by errors.lua (`fail`, every failure is an error object with a code), functions.lua
-- (`function_id`) and results.lua (`special`, what a marker stands for).

return M
