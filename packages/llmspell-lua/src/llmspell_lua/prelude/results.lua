-- Results of the host: plain data that also reads in camelCase, and through one of its fields.
local json = import("json")
local errors = import("errors")
local functions = import("functions")
local snake = import("spelling").snake
local type, rawget, setmetatable, tostring = type, rawget, setmetatable, tostring

local metas = {}

local function meta_for(via, printed)
  local name = (via or "") .. "\0" .. (printed or "")
  local meta = metas[name]
  if meta then return meta end
  if via == "" then via = nil end
  meta = { __name = "result", __metatable = false }
  json.marks[meta] = true
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
  if printed then
    meta.__tostring = function(result) return tostring(rawget(result, printed)) end
  end
  metas[name] = meta
  return meta
end

-- What the markers of channel values stand for; proxies.lua adds `$h`.
local MARKERS = {
  ["$r"] = function(value) return setmetatable(value[1], meta_for(value[2], value[3])) end,
  ["$b"] = function(value) return host.unbase64(value) end,
  ["$e"] = errors.new,
  ["$f"] = functions.get,
}

function json.special(key, value)
  local marker = MARKERS[key]
  if marker then return marker(value) end
  errors.fail("value.not_json", 'unknown marker "' .. key .. '"')
end

return MARKERS
