-- The standard streams: `print`, `io`'s standard files, `stdin`, `stdout`, `stderr`.
--
-- Output is collected and handed over in blocks: when 8 KiB wait, before each host call, at the
-- end of a turn, and by the clock when a script computes for long. So a kill loses little, and
-- what the host prints itself stands in order.
local errors = import("errors")
local json = import("json")
local scheduler = import("scheduler")
local type, tostring, select, setmetatable, tonumber = type, tostring, select, setmetatable, tonumber
local math_type, format, next = math.type, string.format, next
local pcall, error = pcall, error
local concat, pack, unpack = table.concat, table.pack, table.unpack
local call, bad = scheduler.call, errors.bad
local before_call = scheduler.before_call

local M = {}
local BLOCK = 8192
local LARGEST = 1 << 20              -- bytes handed over at once: frames of a worker are bounded

-- stderr has a buffer of its own; the order between the two is kept by emptying the other first.
local parts, count, size, stream = {}, 0, 0, "stdout"
-- The clock hands over between any two instructions: not what is only half put in or taken out.
local busy = false

local function flush()
  if busy or count == 0 then return end
  busy = true
  local ok, text = pcall(concat, parts, "", 1, count)
  parts, count, size = {}, 0, 0
  busy = false
  if not ok then error(text, 0) end
  for from = 1, #text, LARGEST do
    host.write(stream, #text <= LARGEST and text or string.sub(text, from, from + LARGEST - 1))
  end
end
M.flush = flush

local function put(name, text)
  if name ~= stream then
    flush()
    stream = name
  end
  busy = true
  -- In this order: a script may be ended between any two instructions.
  parts[count + 1] = text
  count = count + 1
  size = size + #text
  busy = false
  before_call.needed = true
  if size >= BLOCK then flush() end
end
M.put = put

function M.print(...)
  local many = select("#", ...)
  if many == 1 then return put("stdout", tostring((...)) .. "\n") end
  local texts = { ... }
  for i = 1, many do texts[i] = tostring(texts[i]) end
  put("stdout", concat(texts, "\t", 1, many) .. "\n")
end

-- files of the standard streams ------------------------------------------------------------------

local File = { __name = "FILE*", __metatable = false }
File.__index = File
File.__tostring = function(file) return "file (" .. file.name .. ")" end
File.__newindex = function() bad("a standard stream is read-only") end
File.__pairs = function() return function() end end
M.File = File

local function write_all(name, ...)
  local values = { ... }
  for i = 1, select("#", ...) do
    local value = values[i]
    local kind = type(value)
    if kind == "number" then
      value = math_type(value) == "integer" and format("%d", value) or format("%.14g", value)
    elseif kind ~= "string" then
      if errors.is(value) then
        value = tostring(value)
      else
        bad(format("bad argument #%d to 'write' (string expected, got %s)", i, kind))
      end
    end
    put(name, value)
  end
end

local function refuse(file) bad(tostring(file) .. " is not open for that") end

function File.write(file, ...)
  if file.name == "stdin" then refuse(file) end
  write_all(file.name, ...)
  return file.public
end

local FORMATS = { l = true, L = true, a = true, n = true }

-- One read; the answer of the host is text or nil at the end.
local function read_one(target, handle, what)
  if type(what) == "string" then
    what = string.gsub(what, "^%*", "")
    what = string.sub(what, 1, 1)
    if not FORMATS[what] then bad("bad argument #1 to 'read' (invalid format)") end
  elseif math_type(what) ~= "integer" or what < 0 then
    bad("bad argument #1 to 'read' (invalid format)")
  end
  local text
  if handle then text = call(target, "read", handle, what) else text = call(target, "read", what) end
  if what == "n" then return tonumber(text) end
  if what == "a" then return text or "" end
  return text
end

-- `io.read` and `file:read`: any number of formats, ended by the first that finds nothing.
function M.read(target, handle, ...)
  local many = select("#", ...)
  if many == 0 then return read_one(target, handle, "l") end
  local results, formats = {}, { ... }
  for i = 1, many do
    results[i] = read_one(target, handle, formats[i])
    if results[i] == nil then return unpack(results, 1, i) end
  end
  return unpack(results, 1, many)
end

-- The iterator behind `io.lines` and `file:lines`.
function M.lines(target, handle, ended, ...)
  local formats = pack(...)
  if formats.n == 0 then formats = { "l", n = 1 } end
  return function()
    local results = pack(M.read(target, handle, unpack(formats, 1, formats.n)))
    if results[1] == nil and ended then ended() end
    return unpack(results, 1, results.n)
  end
end

function File.read(file, ...)
  if file.name ~= "stdin" then refuse(file) end
  return M.read("stdin", nil, ...)
end

function File.lines(file, ...)
  if file.name ~= "stdin" then refuse(file) end
  return M.lines("stdin", nil, nil, ...)
end

function File.flush(file)
  if file.name ~= "stdin" then flush() end
  return file.public
end

function File.close(file) return nil, tostring(file) .. " stays open" end
function File.setvbuf() return true end
function File.seek(file) return nil, tostring(file) .. " cannot be positioned", 29 end

local function whole() return M.read("stdin", nil, "a") end

-- Methods are bound: `stdout.write("x")` and `stdout:write("x")` are the same.
local function standard(name, more)
  local state, file = { name = name }, {}
  local self = setmetatable(state, { __index = File, __tostring = File.__tostring })
  local function bind(method)
    return function(...)
      if (...) == file then
        return method(self, select(2, ...))
      end
      return method(self, ...)
    end
  end
  local bound = { name = name }
  for key, method in next, File do
    if string.sub(key, 1, 2) ~= "__" then bound[key] = bind(method) end
  end
  for key, method in next, more or {} do bound[key] = bind(method) end
  M[name] = setmetatable(file, {
    __name = "FILE*", __metatable = false, __newindex = File.__newindex, __pairs = File.__pairs,
    __tostring = function() return File.__tostring(state) end,
    __index = bound,
  })
  -- `write` gives the file, so that calls can be chained.
  state.public = file
end

standard("stdin", {
  text = whole,
  json = function() return json.parse(whole()) end,
})
standard("stdout")
standard("stderr")

return M
