-- JSON text -> Lua values, for the channel and for the public `JSON`.
local M = import("json_base")
local tonumber, setmetatable = tonumber, setmetatable
local find, sub, byte, gsub, format, char, match = string.find, string.sub, string.byte,
  string.gsub, string.format, string.char, string.match
local concat = table.concat
local math_type, huge = math.type, math.huge
local utf8_char = utf8.char
local ARRAY, NULL = M.ARRAY, M.null

local function fail(code, message) return M.fail(code, message) end

local text, special, deepest
local decode_value

local function syntax(position, what)
  local _, line = gsub(sub(text, 1, position - 1), "\n", "")
  fail("value.not_json", format("invalid JSON at character %d, line %d: %s", position, line + 1, what))
end

local UNESCAPES = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n",
  r = "\r", t = "\t" }

local function unicode(position, buffer)
  local hex = match(text, "^%x%x%x%x", position)
  if not hex then syntax(position, "expected four hexadecimal digits") end
  local code = tonumber(hex, 16)
  position = position + 4
  if code >= 0xD800 and code < 0xDC00 then
    local low = match(text, "^\\u([dD][c-fC-F]%x%x)", position)
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

-- The position after the object that begins here, without a look at what is in it.
local function past_object(position)
  local level = 0
  while true do
    local at = find(text, '[{}"]', position)
    if not at then syntax(position, "an object without end") end
    local code = byte(text, at)
    position = at + 1
    if code == 34 then
      at = find(text, '["\\]', position)
      while at and byte(text, at) == 92 do at = find(text, '["\\]', at + 2) end
      if not at then syntax(position, "a string without end") end
      position = at + 1
    elseif code == 123 then
      level = level + 1
    else
      level = level - 1
      if level == 0 then return position end
    end
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
        local after = skip(past_object(at))
        if byte(text, after) == 125 then return decode_object(at + 1, depth, true), after + 1 end
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
  -- The first object of a type has its declaration read, in the middle of the value it is in.
  local outer_text, outer_special, outer_deepest = text, special, deepest
  text, special, deepest = source, for_channel, depth
  local value, position = decode_value(1, 0)
  position = skip(position)
  if position <= #text then syntax(position, "text after the value") end
  text, special, deepest = outer_text, outer_special, outer_deepest
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

return M
