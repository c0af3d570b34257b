-- `io.open` and `io.lines` on files: host calls to the target "io", where the file gate is.
--
--   open(path, mode) -> number of the file       read(number, format) -> text or null
--   write(number, text)                          seek(number, whence, offset) -> position
--   flush(number)   close(number)
--
-- A refusal of the policy is thrown; what else goes wrong is Lua's `nil, message, errno`.
local errors = import("errors")
local scheduler = import("scheduler")
local streams = import("streams")
local json = import("json")
local type, tostring, select, setmetatable, error, format = type, tostring, select, setmetatable,
  error, string.format
local getmetatable, unpack, pack = debug.getmetatable, table.unpack, table.pack
local bad = errors.bad

local M = {}
local File = { __name = "FILE*", __metatable = false }
File.__index = File
local numbers = setmetatable({}, { __mode = "k" })  -- file -> its number; false when closed
local abandoned = {}

File.__tostring = function(file) return numbers[file] and "file (open)" or "file (closed)" end
File.__newindex = function() bad("a file is read-only") end
File.__pairs = function() return function() end end
File.__gc = function(file)
  if numbers[file] then abandoned[#abandoned + 1] = numbers[file] end
end
File.__close = function(file) if numbers[file] then File.close(file) end end
json.kinds[File] = function() return nil, nil end

local function attempt(method, ...)
  local results = pack(scheduler.pcall(scheduler.call, "io", method, ...))
  if results[1] then return unpack(results, 2, results.n) end
  local e = results[2]
  if not errors.is(e) then error(e, 0) end
  local code = tostring(e.code)
  if string.find(code, "^policy%.") or string.find(code, "^limit%.") or string.find(code, "^script%.")
    or code == "cancelled" or code == "input.invalid" then
    error(e, 0)
  end
  local details = e.details
  return nil, e.message, type(details) == "table" and details.errno or 0
end

local function number_of(file)
  local number = type(file) == "table" and getmetatable(file) == File and numbers[file]
  if not number then
    bad(number == false and "attempt to use a closed file" or "bad argument #1 (file expected)")
  end
  return number
end

function M.open(path, mode)
  if type(path) ~= "string" then
    bad("bad argument #1 to 'open' (string expected, got " .. type(path) .. ")")
  end
  mode = mode or "r"
  if not string.find(mode, "^[rwa]%+?b?$") then bad("bad argument #2 to 'open' (invalid mode)") end
  for i = 1, #abandoned do
    scheduler.start_call("io", "close", json.encode_args(abandoned[i]), function() end)
    abandoned[i] = nil
  end
  local number, message, errno = attempt("open", path, mode)
  if not number then return nil, message, errno end
  local file = {}
  numbers[file] = number
  return setmetatable(file, File)
end

function File.read(file, ...) return streams.read("io", number_of(file), ...) end

function File.write(file, ...)
  local number = number_of(file)
  local parts = { ... }
  for i = 1, select("#", ...) do
    local value = parts[i]
    if type(value) == "number" then
      parts[i] = math.type(value) == "integer" and format("%d", value) or format("%.14g", value)
    elseif type(value) ~= "string" then
      bad(format("bad argument #%d to 'write' (string expected, got %s)", i, type(value)))
    end
  end
  local _, message, errno = attempt("write", number, table.concat(parts))
  if message then return nil, message, errno end
  return file
end

function File.lines(file, ...) return streams.lines("io", number_of(file), nil, ...) end
function File.seek(file, whence, offset)
  if type(whence) == "number" then whence, offset = "set", whence end
  return attempt("seek", number_of(file), whence or "cur", offset or 0)
end
function File.close(file)
  local number = number_of(file)
  numbers[file] = false
  local _, message, errno = attempt("close", number)
  if message then return nil, message, errno end
  return true
end
function File.flush(file)
  local _, message, errno = attempt("flush", number_of(file))
  if message then return nil, message, errno end
  return file
end
function File.setvbuf() return true end

function M.lines(path, ...)
  local file, message = M.open(path)
  if not file then bad(message) end
  local function ended() File.close(file) end
  return streams.lines("io", numbers[file], ended, ...), nil, nil, file
end

function M.type(value)
  if type(value) ~= "table" then return nil end
  local meta = getmetatable(value)
  if meta == File then return numbers[value] and "file" or "closed file" end
  return meta and meta.__name == "FILE*" and "file" or nil
end

return M
