-- Results of the host: plain data that also reads in camelCase, and through one of its fields.
local json = import("json")
local errors = import("errors")
local functions = import("functions")
local snake = import("spelling").snake
local type, rawget, setmetatable, tostring = type, rawget, setmetatable, tostring

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

-- What the markers of channel values stand for; proxies.lua adds `$h`.
local MARKERS = {
  ["$r"] = function(value) return setmetatable(value[1], result_meta(value[2], value[3])) end,
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
