-- Lua values -> JSON text, for the channel and for the public `JSON`.
--
-- Nothing here calls code of the script: tables are read raw, so a value crosses as it is.
-- Objects are written with sorted keys. Lua keeps no order of its own, and an order that differs
-- from run to run would make prompts, caches and recordings differ as well.
local M = import("json_base")
local type, next, tonumber, tostring = type, next, tonumber, tostring
local rawget, rawlen, select = rawget, rawlen, select
local getmetatable = debug.getmetatable
local find, byte, gsub, format, char, rep = string.find, string.byte, string.gsub, string.format,
  string.char, string.rep
local concat, sort = table.concat, table.sort
local math_type, huge = math.type, math.huge
local utf8_len = utf8.len
local kinds, NULL = M.kinds, M.null

local function fail(code, message) return M.fail(code, message) end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n",
  ["\r"] = "\\r", ["\t"] = "\\t" }
for code = 0, 31 do
  local c = char(code)
  ESCAPES[c] = ESCAPES[c] or format("\\u%04x", code)
end

-- nil when the string is not UTF-8
local function quote(text)
  if not find(text, '[%c"\\\128-\255]') then return '"' .. text .. '"' end
  if find(text, "[\128-\255]") and not utf8_len(text) then return nil end
  return '"' .. gsub(text, '[%c"\\]', ESCAPES) .. '"'
end

M.quote = quote

-- The shortest text that reads back as the same float, and as a float.
local function float_text(number)
  if number ~= number or number == huge or number == -huge then return nil end
  local text = format("%.14g", number)
  if tonumber(text) ~= number then
    text = format("%.16g", number)
    if tonumber(text) ~= number then text = format("%.17g", number) end
  end
  if not find(text, "[.e]") then text = text .. ".0" end
  return text
end

local out, n, size          -- pieces, their number, an estimate of the bytes so far
local channel               -- whether handles, bytes and errors may cross
local path, seen            -- keys that led to the current table; tables being written
local pretty                -- indentation, or nil
local limit                 -- levels allowed
local in_args               -- whether the outermost list is that of a call's arguments
local ordered               -- whether keys are sorted

local function step(name)
  return type(name) == "number" and "[" .. name .. "]" or "." .. tostring(name)
end

-- Where a value stands, for messages: `argument 1.a.b[2]`, `a.b`, `the value`.
local function place(depth, key)
  local names, first = {}, 1
  if in_args then
    names[1], first = "argument " .. tostring(depth > 1 and path[1] or key), 2
  end
  for i = first, depth - 1 do names[#names + 1] = step(path[i]) end
  if key ~= nil and depth >= first then names[#names + 1] = step(key) end
  local text = concat(names)
  return text == "" and "the value" or (gsub(text, "^%.", ""))
end

local function grow(bytes)
  size = size + bytes + 4
  if size > M.max_size then
    fail("limit.value_size", format("a value larger than %d bytes cannot be passed", M.max_size))
  end
end

local encode_table

local function put(piece) n = n + 1; out[n] = piece end

local function encode_other(value, kind, depth, key)
  if kind == "function" then
    if channel then return put('{"$f":' .. M.function_id(value) .. "}") end
    fail("value.unsupported", place(depth, key) .. " is a function")
  end
  fail("value.unsupported", place(depth, key) .. " is a " .. kind .. ", which cannot be passed")
end

local function encode_value(value, depth, key)
  local kind = type(value)
  if kind == "string" then
    if #value > M.max_size then grow(#value) end
    local text = quote(value)
    if not text then
      if not channel then
        fail("value.not_json", place(depth, key) .. " is not UTF-8 text")
      end
      text = '{"$b":"' .. host.base64(value) .. '"}'
    end
    grow(#text)
    put(text)
  elseif kind == "number" then
    if math_type(value) == "integer" then
      put(value)
    else
      local text = float_text(value)
      if not text then
        fail("value.not_json", place(depth, key) .. " is not a finite number")
      end
      put(text)
    end
  elseif kind == "table" then
    if value == NULL then put("null") else encode_table(value, depth, key) end
  elseif kind == "boolean" then
    put(value and "true" or "false")
  elseif kind == "nil" then
    put("null")
  else
    encode_other(value, kind, depth, key)
  end
end

local function encode_array(value, length, depth)
  local start, lead, close = n, nil, "]"
  if pretty then
    local inner = "\n" .. rep(pretty, depth)
    put("[" .. inner)
    lead, close = "," .. inner, "\n" .. rep(pretty, depth - 1) .. "]"
  else
    put("[")
  end
  for i = 1, length do
    local entry = rawget(value, i)
    if entry == nil then
      n = start
      return false
    end
    if i > 1 then put(lead or ",") end
    grow(0)
    encode_value(entry, depth, i)
  end
  put(close)
  return true
end

-- Keys as they are written -> values, and the list of them.
local function object_keys(value, depth)
  local names, count, numbers = {}, 0, nil
  for key in next, value do
    local kind = type(key)
    local name = key
    if kind == "number" then
      name = math_type(key) == "integer" and format("%d", key) or float_text(key)
      numbers = numbers or {}
      if not name or rawget(value, name) ~= nil then
        fail("value.bad_key", format("%s has the key %s as a number and as a string",
          place(depth - 1, path[depth - 1]), tostring(key)))
      end
      numbers[name] = key
    elseif kind ~= "string" then
      fail("value.bad_key", format("%s has a key that is a %s; keys are strings",
        place(depth - 1, path[depth - 1]), kind))
    end
    count = count + 1
    names[count] = name
  end
  if ordered and count > 1 then sort(names) end
  return names, count, numbers
end

local function encode_object(value, depth)
  local names, count, numbers = object_keys(value, depth)
  local escape = channel and count == 1 and byte(names[1]) == 36
  local open, lead, close, colon = "{", ",", "}", ":"
  if pretty then
    local inner = "\n" .. rep(pretty, depth)
    open, lead, close, colon = "{" .. inner, "," .. inner, "\n" .. rep(pretty, depth - 1) .. "}", ": "
  end
  put(escape and '{"$":{' or open)
  for i = 1, count do
    local name = names[i]
    local text = quote(name)
    if not text then
      fail("value.bad_key", place(depth - 1, path[depth - 1]) .. " has a key that is not UTF-8 text")
    end
    if i > 1 then put(lead) end
    grow(#text)
    put(text .. colon)
    local key = name
    if numbers and numbers[name] then key = numbers[name] end
    encode_value(rawget(value, key), depth, name)
  end
  put(escape and "}}" or close)
end

function encode_table(value, depth, key)
  local meta = getmetatable(value)
  local marked = false
  if meta then
    local kind = kinds[meta]
    if kind == "array" then
      marked = true
    elseif kind then
      local text, instead, what = kind(value, channel)
      if not text and instead == nil then
        what = what or "a " .. (meta.__name or "handle")
        fail("value.unsupported", place(depth, key) .. " is " .. what .. ", which is not data")
      end
      if text then
        grow(#text)
        put(text)
      end
      if instead == nil then return end
      encode_table(instead, depth, key)
      if text then put("}") end
      return
    end
  end
  if seen[value] then
    fail("value.cycle", place(depth, key) .. " contains itself")
  end
  if depth >= limit then
    fail("limit.value_depth", format("a value nested deeper than %d levels cannot be passed",
      M.max_depth))
  end
  seen[value] = true
  path[depth] = key
  local length, count = rawlen(value), 0
  for _ in next, value do count = count + 1 end
  if count == 0 then
    put(marked and "[]" or "{}")
  elseif count ~= length or not encode_array(value, length, depth + 1) then
    encode_object(value, depth + 1)
  end
  seen[value] = nil
end

local function start(for_channel)
  out, n, size, path, seen = {}, 0, 0, {}, {}
  channel, pretty, ordered, limit, in_args = for_channel, nil, true, M.max_depth, false
end

local function finished()
  local text = concat(out, "", 1, n)
  out, seen, path = nil, nil, nil
  return text
end

local function scalar(value)
  local kind = type(value)
  if kind == "string" then
    if #value < 4096 and not find(value, '[%c"\\\128-\255]') then return '"' .. value .. '"' end
  elseif kind == "number" then
    return math_type(value) == "integer" and value or float_text(value)
  elseif kind == "boolean" then
    return value and "true" or "false"
  elseif kind == "nil" then
    return "null"
  end
end

-- One value for the channel.
function M.encode(value)
  local text = scalar(value)
  if text then return text .. "" end
  start(true)
  encode_value(value, 0)
  return finished()
end

-- The argument list of a host call. Few scalars are by far the most frequent.
function M.encode_args(...)
  local count = select("#", ...)
  if count == 0 then return "[]" end
  if count <= 2 then
    local a, b = ...
    a = scalar(a)
    if a then
      if count == 1 then return "[" .. a .. "]" end
      b = scalar(b)
      if b then return "[" .. a .. "," .. b .. "]" end
    end
  end
  start(true)
  limit, in_args = limit + 1, true -- the list itself is no level of any value
  put("[")
  local list = { ... } -- `select` for each of many would take time by the square
  for i = 1, count do
    if i > 1 then put(",") end
    encode_value(list[i], 1, i)
  end
  put("]")
  return finished()
end

-- What `JSON.stringify` gives: plain JSON, no handles.
function M.stringify(value, indent, unsorted)
  start(false)
  pretty, ordered = indent, not unsorted
  encode_value(value, 0)
  return finished()
end

return M
