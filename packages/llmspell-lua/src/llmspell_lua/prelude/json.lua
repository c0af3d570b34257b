-- JSON text <-> Lua values: the codec of the channel and of the public `JSON` global.
--
-- Nothing here calls code of the script: tables are read raw, so a value crosses as it is.
-- Objects are written with sorted keys. Lua keeps no order of its own, and an order that differs
-- from run to run would make prompts, caches and recordings differ as well.
local type, next, tonumber, error, pcall = type, next, tonumber, error, pcall
local rawget, rawlen, setmetatable, select = rawget, rawlen, setmetatable, select
local getmetatable = debug.getmetatable
local find, sub, byte, gsub, format, char = string.find, string.sub, string.byte, string.gsub,
  string.format, string.char
local rep = string.rep
local concat, sort = table.concat, table.sort
local math_type, huge = math.type, math.huge
local utf8_len, utf8_char = utf8.len, utf8.char

local M = {}

-- Metatable -> how its tables are written: "array", or a function `(value, for the channel)`
-- that gives a text, a plain table to write instead, or an opening text (`{"$e":`) and the table
-- that follows it. Other files add theirs (host objects, errors, builders).
local kinds = {}
M.kinds = kinds

local ARRAY = { __name = "array", __metatable = false }
kinds[ARRAY] = "array"
M.ARRAY = ARRAY

local NULL = setmetatable({}, {
  __name = "null", __metatable = false,
  __tostring = function() return "null" end,
  __newindex = function() error("JSON.null is read-only", 2) end,
})
M.null = NULL

-- Set by the session: bounds of one value.
M.max_depth, M.max_size = 64, huge

-- Set by errors.lua: every failure here is an error object with a code.
local function fail(code, message) return M.fail(code, message) end

-- encoding ---------------------------------------------------------------------------------------

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
      local text, instead = kind(value, channel)
      if not text and instead == nil then
        fail("value.unsupported", place(depth, key) .. " is a " .. (meta.__name or "handle")
          .. ", which is not data")
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
  return concat(out, "", 1, n)
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
  for i = 1, count do
    if i > 1 then put(",") end
    encode_value((select(i, ...)), 1, i)
  end
  put("]")
  return concat(out, "", 1, n)
end

-- What `JSON.stringify` gives: plain JSON, no handles.
function M.stringify(value, indent, unsorted)
  start(false)
  pretty, ordered = indent, not unsorted
  encode_value(value, 0)
  local text = concat(out, "", 1, n)
  out, seen = nil, nil
  return text
end

-- decoding ---------------------------------------------------------------------------------------

local text, special, deepest
local decode_value

local function syntax(position, what)
  local _, line = gsub(sub(text, 1, position - 1), "\n", "")
  fail("value.not_json", format("invalid JSON at character %d, line %d: %s", position, line + 1, what))
end

local UNESCAPES = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n",
  r = "\r", t = "\t" }

local function unicode(position, buffer)
  local hex = string.match(text, "^%x%x%x%x", position)
  if not hex then syntax(position, "expected four hexadecimal digits") end
  local code = tonumber(hex, 16)
  position = position + 4
  if code >= 0xD800 and code < 0xDC00 then
    local low = string.match(text, "^\\u([dD][c-fC-F]%x%x)", position)
    if low then
      code = 0x10000 + (code - 0xD800) * 0x400 + tonumber(low, 16) - 0xDC00
      position = position + 6
    end
  end
  if code >= 0xD800 and code < 0xE000 then
    -- Half a pair is no character. The host writes bytes that are no UTF-8 (of a file, say) so.
    if special and code >= 0xDC80 and code <= 0xDCFF then
      buffer[#buffer + 1] = char(code - 0xDC00)
      return position
    end
    code = 0xFFFD
  end
  buffer[#buffer + 1] = utf8_char(code)
  return position
end

local function decode_escaped(position)
  local buffer, from = {}, position
  while true do
    local at = find(text, '["\\%c]', from)
    if not at then syntax(position - 1, "a string without end") end
    local code = byte(text, at)
    buffer[#buffer + 1] = sub(text, from, at - 1)
    if code == 34 then return concat(buffer), at + 1 end
    if code == 92 then
      local letter = sub(text, at + 1, at + 1)
      if letter == "u" then
        from = unicode(at + 2, buffer)
      else
        local plain = UNESCAPES[letter]
        if not plain then syntax(at, "unknown escape") end
        buffer[#buffer + 1] = plain
        from = at + 2
      end
    elseif code == 127 then
      buffer[#buffer + 1] = "\127"
      from = at + 1
    else
      syntax(at, "a control character in a string")
    end
  end
end

-- `position` is the one after the opening quote
local function decode_string(position)
  local at = find(text, '["\\%c]', position)
  if at and byte(text, at) == 34 then return sub(text, position, at - 1), at + 1 end
  return decode_escaped(position)
end

local function decode_number(position)
  local from, last = find(text, "^-?%d+", position)
  if not from then syntax(position, "expected a value") end
  local digit = byte(text, from) == 45 and from + 1 or from
  if byte(text, digit) == 48 and last > digit then syntax(position, "a number with a leading zero") end
  local following = byte(text, last + 1)
  if following == 46 or following == 101 or following == 69 then
    local dot_from, dot_last = find(text, "^%.%d+", last + 1)
    if following == 46 and not dot_from then syntax(last + 1, "expected a digit") end
    last = dot_last or last
    local mark = byte(text, last + 1)
    if mark == 101 or mark == 69 then
      local _, exponent = find(text, "^[eE][+-]?%d+", last + 1)
      if not exponent then syntax(last + 1, "expected an exponent") end
      last = exponent
    end
    local number = tonumber(sub(text, from, last))
    if number == huge or number == -huge then syntax(position, "a number out of range") end
    return number, last + 1
  end
  local number = tonumber(sub(text, from, last))
  if math_type(number) ~= "integer" then
    syntax(position, "an integer beyond 64 bits")
  end
  return number, last + 1
end

local function skip(position)
  local _, last = find(text, "^[ \n\r\t]+", position)
  return (last or position - 1) + 1
end

local function deeper(depth)
  if depth >= deepest then
    fail("limit.value_depth", format("JSON nested deeper than %d levels", deepest))
  end
end

local function decode_array(position, depth)
  deeper(depth)
  local list, count = {}, 0
  position = skip(position)
  if byte(text, position) == 93 then return setmetatable(list, ARRAY), position + 1 end
  while true do
    count = count + 1
    list[count], position = decode_value(position, depth + 1)
    local code = byte(text, position)
    if code ~= 44 and code ~= 93 then
      position = skip(position)
      code = byte(text, position)
    end
    if code == 93 then return setmetatable(list, ARRAY), position + 1 end
    if code ~= 44 then syntax(position, "expected , or ]") end
    position = position + 1
  end
end

-- `plain`: this object was escaped, so its only key is an ordinary one
local decode_object
function decode_object(position, depth, plain)
  deeper(depth)
  local object, count, key = {}, 0, nil
  position = skip(position)
  if byte(text, position) == 125 then return object, position + 1 end
  while true do
    if byte(text, position) ~= 34 then
      position = skip(position)
      if byte(text, position) ~= 34 then syntax(position, "expected a name in quotes") end
    end
    key, position = decode_string(position + 1)
    if byte(text, position) ~= 58 then
      position = skip(position)
      if byte(text, position) ~= 58 then syntax(position, "expected :") end
    end
    count = count + 1
    if special and count == 1 and key == "$" and not plain then
      -- Escaped, unless other keys follow.
      local at = skip(position + 1)
      if byte(text, at) == 123 then
        local inner, after = decode_object(at + 1, depth, true)
        after = skip(after)
        if byte(text, after) == 125 then return inner, after + 1 end
      end
    end
    object[key], position = decode_value(position + 1, depth + 1)
    local code = byte(text, position)
    if code ~= 44 and code ~= 125 then
      position = skip(position)
      code = byte(text, position)
    end
    if code == 125 then
      if special and count == 1 and not plain and byte(key) == 36 then
        return M.special(key, object[key]), position + 1
      end
      return object, position + 1
    end
    if code ~= 44 then syntax(position, "expected , or }") end
    position = position + 1
  end
end

local function word(position, name, value)
  if sub(text, position, position + #name - 1) ~= name then syntax(position, "expected a value") end
  return value, position + #name
end

function decode_value(position, depth)
  local code = byte(text, position)
  if code == 32 or code == 10 or code == 13 or code == 9 then
    position = skip(position)
    code = byte(text, position)
  end
  if code == 34 then return decode_string(position + 1) end
  if code == 123 then return decode_object(position + 1, depth) end
  if code == 91 then return decode_array(position + 1, depth) end
  if code == 116 then return word(position, "true", true) end
  if code == 102 then return word(position, "false", false) end
  if code == 110 then return word(position, "null", NULL) end
  if not code then syntax(position, "the text ends too early") end
  return decode_number(position)
end

local function decode_all(source, for_channel, depth)
  text, special, deepest = source, for_channel, depth
  local value, position = decode_value(1, 0)
  position = skip(position)
  if position <= #text then syntax(position, "text after the value") end
  text = nil
  return value
end

-- A value of the channel; `null` alone is nil.
function M.decode(source)
  local first = byte(source)
  if first == 34 and not find(source, "\\", 2, true) then return sub(source, 2, -2) end
  if source == "null" then return nil end
  if first == 45 or first >= 48 and first <= 57 then
    local number = tonumber(source)
    if math_type(number) == "integer" then return number end
  end
  local value = decode_all(source, true, 1000)
  if value == NULL then return nil end
  return value
end

-- Text of the host that is no value of the channel: options, declarations.
function M.read(source) return decode_all(source, false, 1000) end

-- What `JSON.parse` gives.
function M.parse(source) return decode_all(source, false, M.max_depth) end

-- Marks a table as an array, so that an empty one is written as [].
function M.array(list) return setmetatable(list or {}, ARRAY) end

return M
