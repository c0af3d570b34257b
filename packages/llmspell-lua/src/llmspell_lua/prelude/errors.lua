-- Error objects, and where in the script something happened.
--
-- What the host raises arrives as a table with message, code, hint, details, retryable, source;
-- what the script raises itself stays what it is until it leaves the script (`describe`).
local json = import("json")
local type, tostring, rawget, setmetatable = type, tostring, rawget, setmetatable
local error, pcall, next = error, pcall, next
local getmetatable, getinfo = debug.getmetatable, debug.getinfo
local format, sub, find = string.format, string.sub, string.find
local concat = table.concat

local M = {}

-- Chunks of the script: the short form that engine messages begin with -> the full name.
local chunks = {}

function M.add_chunk(fn)
  local info = getinfo(fn, "S")
  if sub(info.source, 1, 1) == "@" then chunks[info.short_src] = sub(info.source, 2) end
end

-- A script names the chunks it loads: there is no end to how long.
local LONGEST_NAME = 1000

local function line_of(info)
  local source = info.source
  if sub(source, 1, 1) == "@" then
    source = sub(source, 2, LONGEST_NAME)
  else
    source = info.short_src
  end
  return source .. ":" .. info.currentline
end
M.line_of = line_of

-- Set by the scheduler: the function that the running task began with.
function M.home() end

-- The innermost line of the script, as `spell.lua:12`. Prelude and C functions have no lines; when
-- tail calls have left none of the script's, it is where the task's function begins.
function M.where()
  local level = 2
  while true do
    local info = getinfo(level, "Sl")
    if not info then
      local fn = M.home()
      info = fn and getinfo(fn, "S")
      if not info or info.linedefined <= 0 then return nil end
      info.currentline = info.linedefined
      return line_of(info)
    end
    if info.currentline > 0 then return line_of(info) end
    level = level + 1
  end
end

-- An error as a library function of Lua raises it: plain text that begins with the place.
function M.bad(message)
  local level = 2
  while true do
    local info = getinfo(level, "Sl")
    if not info then break end
    if info.currentline > 0 then
      message = info.short_src .. ":" .. info.currentline .. ": " .. message
      break
    end
    level = level + 1
  end
  error(message, 0)
end

function M.stack()
  local lines, level = {}, 2
  while #lines < 30 do
    local info = getinfo(level, "Sln")
    if not info then break end
    if info.currentline > 0 then
      local what = info.what == "main" and "main chunk"
        or info.name and format("function '%s'", info.name) or "a function"
      lines[#lines + 1] = line_of(info) .. ": in " .. what
    end
    level = level + 1
  end
  return #lines > 0 and concat(lines, "\n") or nil
end

local Error = { __name = "error", __metatable = false }
M.Error = Error

local function text_of(e)
  local message = tostring(rawget(e, "message"))
  local source = rawget(e, "source")
  return source and tostring(source) .. ": " .. message or message
end

Error.__tostring = text_of
function Error.__concat(a, b)
  if type(a) == "table" then a = tostring(a) end
  if type(b) == "table" then b = tostring(b) end
  return a .. b
end

-- String methods on the text (`e:match("...")`): made on first use.
local methods = {}
Error.__index = function(_, key)
  local method = methods[key]
  if method == nil and type(string[key]) == "function" then
    local native = string[key]
    method = function(e, ...)
      if getmetatable(e) == Error then e = text_of(e) end
      return native(e, ...)
    end
    methods[key] = method
  end
  return method
end

json.kinds[Error] = function(e, channel)
  local plain = {}
  for key, value in next, e do plain[key] = value end
  return channel and '{"$e":' or nil, plain
end

function M.is(e) return getmetatable(e) == Error end
M.text = text_of

function M.new(fields) return setmetatable(fields, Error) end

-- Raises an error object, by default at the innermost line of the script.
function M.raise(fields)
  if fields.source == nil then fields.source = M.where() end
  error(setmetatable(fields, Error), 0)
end

function M.fail(code, message, hint)
  M.raise({ code = code, message = message, hint = hint, retryable = false })
end
json.fail = M.fail

-- "spell.lua:12: text" -> "text", "spell.lua:12". The text may itself begin like a place.
local function split(message)
  local from = 1
  for _ = 1, 8 do
    local at, last, line = find(message, ":(%d+): ", from)
    if not at or at > LONGEST_NAME then break end
    local chunk = sub(message, 1, at - 1)
    if chunks[chunk] then return sub(message, last + 1), chunks[chunk] .. ":" .. line end
    if find(chunk, '^%[string ".*"%]$') then return sub(message, last + 1), chunk .. ":" .. line end
    from = at + 1
  end
  return message, nil
end

local function text_field(e, key)
  local value = rawget(e, key)
  return type(value) == "string" and value or nil
end

local function described_table(e, text)
  local message = rawget(e, "message")
  if type(message) ~= "string" then
    local ok, plain = pcall(json.stringify, e)
    message = text or ok and plain or "an error value that is a table"
  end
  local details = rawget(e, "details")
  return {
    message = message,
    code = text_field(e, "code") or "script.error",
    hint = text_field(e, "hint"),
    details = type(details) == "table" and details or nil,
    retryable = rawget(e, "retryable") == true,
    source = text_field(e, "source"),
    stack = text_field(e, "stack"),
  }
end

-- Any error value as the fields that leave the script; `place` and `stack` are where it rose,
-- `text` what its own __tostring said there. Calls nothing of the script.
function M.describe(e, place, stack, text)
  local fields
  if type(e) == "table" then
    fields = described_table(e, text)
  else
    local message, source = tostring(e), nil
    if type(e) == "string" then message, source = split(e) end
    fields = { message = message, code = "script.error", retryable = false, source = source }
  end
  fields.source = fields.source or place
  fields.stack = fields.stack or stack
  return fields
end

local SAFE = { "message", "code", "hint", "retryable", "source", "stack" }
local LONGEST = 1 << 14              -- of each field, where they are too large or no text

-- The fields as JSON text, whatever they hold: bad details must not hide the error.
function M.to_json(e, place, stack, text_of_it)
  local fields = M.describe(e, place, stack, text_of_it)
  local ok, text = pcall(json.stringify, fields)
  if ok then return text end
  local safe = {}
  for i = 1, #SAFE do
    local value = fields[SAFE[i]]
    if type(value) == "string" then
      if #value > LONGEST then value = sub(value, 1, LONGEST) .. "..." end
      if not utf8.len(value) then value = string.gsub(value, "[\128-\255]", "?") end
    end
    safe[SAFE[i]] = value
  end
  return json.stringify(safe)
end

-- Distance of edits, for "did you mean".
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = string.byte(a, i) == string.byte(b, j) and 0 or 1
      local best = math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
      diagonal, row[j] = row[j], best
    end
  end
  return row[#b]
end

-- `did you mean "x"?` for the nearest of the keys of `known`, or nil.
function M.nearest(name, known)
  local best, least = nil, nil
  if type(name) ~= "string" or #name > 64 then return nil end
  for candidate in next, known do
    if type(candidate) == "string" then
      local d = distance(name, candidate)
      if d <= math.max(2, #name // 3) and (not least or d < least
        or d == least and candidate < best) then
        best, least = candidate, d
      end
    end
  end
  return best and format('did you mean "%s"?', best)
end

-- Refuses options that are not known and gives the others, in snake_case; `known` is a set.
function M.check_options(given, known, what)
  if given == nil then return {} end
  if type(given) ~= "table" then
    M.fail("input.invalid", what .. " takes a table of options, not a " .. type(given))
  end
  local snake, found = import("spelling").snake, {}
  for key, value in next, given do
    local name = type(key) == "string" and snake(key) or key
    if not known[name] then
      M.fail("input.invalid", format('%s: unknown option "%s"', what, tostring(key)),
        M.nearest(key, known))
    end
    if found[name] ~= nil then
      M.fail("input.invalid", format('%s: "%s" is given in both spellings: give one', what, name))
    end
    found[name] = value
  end
  return found
end

return M
