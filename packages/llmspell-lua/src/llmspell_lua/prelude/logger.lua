-- `Logger` and `Debug`: records are collected and handed to the host in batches.
local errors = import("errors")
local json = import("json")
local objects = import("objects")
local scheduler = import("scheduler")
local type, tostring, next, pcall = type, tostring, next, pcall
local select, concat, sort = select, table.concat, table.sort
local format, sub, gsub = string.format, string.sub, string.gsub

local LEVELS = { trace = 10, debug = 20, info = 30, warn = 40, error = 50, off = 100 }
local lowest = LEVELS[options.log_level or "info"] or LEVELS.info
local correlation
local records, count, size = {}, 0, 0
local BLOCK = 1 << 16                -- bytes handed over at once: frames of a worker are bounded
local LONGEST = 1 << 16              -- bytes of a message; the host shortens it as well

local function flush()
  if count == 0 then return end
  local text = "[" .. concat(records, ",", 1, count) .. "]"
  records, count, size = {}, 0, 0
  host.log(text)
end
objects.flush_logs = flush

local function level_of(name)
  local level = LEVELS[name]
  if not level then
    errors.fail("input.invalid", format('unknown log level "%s"', tostring(name)),
      errors.nearest(name, LEVELS))
  end
  return level
end

local function text_of(value)
  local ok, text = pcall(tostring, value)
  text = ok and text or type(value)
  if #text > LONGEST then
    local more = #text - LONGEST
    -- not in the middle of a character
    text = gsub(sub(text, 1, LONGEST), "[\192-\255][\128-\191]*$", "")
    text = format("%s... (%d more bytes)", text, more)
  end
  if not utf8.len(text) then text = gsub(text, "[\128-\255]", "?") end
  return text
end

-- Fields that cannot be written are written as their text: a log line never fails.
local function safe_fields(fields)
  local plain = {}
  for key, value in next, fields or {} do
    plain[text_of(key)] = pcall(json.stringify, value) and value or text_of(value)
  end
  return plain
end

local function record(level, logger, message, fields)
  if LEVELS[level] < lowest then return end
  local entry = { level = level, message = text_of(message), logger = logger, fields = fields }
  local ok, text = pcall(json.stringify, entry)
  if not ok then
    entry.fields = safe_fields(fields)
    ok, text = pcall(json.stringify, entry)
    if not ok then return end
  end
  count = count + 1
  records[count] = text
  size = size + #text
  scheduler.before_call.needed = true
  if count >= 100 or size >= BLOCK then flush() end
end

local function merged(...)
  local all
  for i = 1, select("#", ...) do
    local fields = select(i, ...)
    if fields ~= nil then
      if type(fields) ~= "table" then fields = { value = fields } end
      all = all or {}
      for key, value in next, fields do all[key] = value end
    end
  end
  return all
end

-- timers -----------------------------------------------------------------------------------------

local timings = {}

local function timer(name, on_stop)
  name = tostring(name or "timer")
  local started = host.clock()
  local last, stopped = started, nil
  return objects.object("timer", "timer(" .. name .. ")", {
    elapsed = function() return (stopped or host.clock()) - started end,
    lap = function()
      local now = host.clock()
      local ms = now - last
      last = now
      return ms
    end,
    stop = function()
      if not stopped then
        stopped = host.clock()
        local ms = stopped - started
        local entry = timings[name] or { count = 0, total_ms = 0, max_ms = 0 }
        timings[name] = entry
        entry.count, entry.total_ms = entry.count + 1, entry.total_ms + ms
        if ms > entry.max_ms then entry.max_ms = ms end
        if on_stop then on_stop(name, ms) end
      end
      return stopped - started
    end,
  })
end

-- Logger -----------------------------------------------------------------------------------------

local Logger = {}
objects.natives.Logger = Logger

-- A function for each level.
local function levels(write)
  local made = {}
  for level in next, LEVELS do
    if level ~= "off" then
      made[level] = function(message, fields) write(level, message, fields) end
    end
  end
  return made
end

local function batch(write)
  local kept = {}
  local methods = levels(function(...) kept[#kept + 1] = { ... } end)
  function methods.flush()
    local list = kept
    kept = {}
    for i = 1, #list do write(list[i][1], list[i][2], list[i][3]) end
  end
  return objects.object("log_batch", "log_batch", methods)
end

local function logger(settings)
  local own = settings.level and level_of(settings.level) or 0
  local function write(level, message, fields)
    if LEVELS[level] >= own then
      record(level, settings.name, message,
        merged(settings.fields, correlation and { correlation_id = correlation }, fields))
    end
  end
  local methods = levels(write)
  function methods.with_context(fields)
    return logger({ name = settings.name, level = settings.level,
      fields = merged(settings.fields, fields) })
  end
  function methods.child(fields)
    if type(fields) ~= "string" then return methods.with_context(fields) end
    local name = settings.name and settings.name .. "." .. fields or fields
    return logger({ name = name, level = settings.level, fields = settings.fields })
  end
  function methods.timer(name)
    return timer(name, function(label, ms) write("debug", label, { duration_ms = ms }) end)
  end
  function methods.is_enabled_for(level)
    local wanted = level_of(level)
    return wanted >= own and wanted >= lowest
  end
  function methods.batch() return batch(write) end
  return objects.object("logger", "logger(" .. (settings.name or "script") .. ")", methods)
end

local NEW = { name = true, level = true, fields = true }
function Logger.new(settings)
  if type(settings) == "string" then settings = { name = settings } end
  local given = errors.check_options(settings, NEW, "Logger.new")
  if given.name ~= nil and type(given.name) ~= "string" then
    errors.fail("input.invalid", "Logger.new: name must be a string, not a " .. type(given.name))
  end
  return logger(given)
end

local root = logger({})
for level in next, LEVELS do
  if level ~= "off" then Logger[level] = root[level] end
end
function Logger.set_level(level) lowest = level_of(level) end
function Logger.set_correlation_id(id) correlation = id end

-- Debug ------------------------------------------------------------------------------------------

local Debug = {}
objects.natives.Debug = Debug
local captured, MOST = {}, 1000

local function debug_record(level, message, extra)
  local name = type(extra) == "string" and extra or "debug"
  local fields = type(extra) == "table" and extra or nil
  if LEVELS[level] >= lowest then
    if #captured >= MOST then table.remove(captured, 1) end
    captured[#captured + 1] = { level = level, message = tostring(message), logger = name, fields = fields }
  end
  record(level, name, message, fields)
end

for level in next, LEVELS do
  if level ~= "off" then
    Debug[level] = function(message, extra) debug_record(level, message, extra) end
  end
end
function Debug.log(level, message, extra)
  if message == nil then level, message = "info", level end
  level_of(level)
  debug_record(level, message, extra)
end
Debug.set_level = Logger.set_level
function Debug.get_level()
  for name, value in next, LEVELS do
    if value == lowest then return name end
  end
end
function Debug.is_enabled(level) return level_of(level or "debug") >= lowest end
function Debug.get_captured_entries(most)
  if most ~= nil and math.type(most) ~= "integer" then
    local what = "Debug.get_captured_entries takes a whole number, not a " .. type(most)
    errors.fail("input.invalid", what)
  end
  local found = {}
  for i = math.max(1, #captured - (most or MOST) + 1), #captured do found[#found + 1] = captured[i] end
  return json.array(found)
end
function Debug.clear_captured_entries() captured = {} end
function Debug.timer(name) return timer(name) end
function Debug.stack_trace() return errors.stack() or "" end
function Debug.memory_stats()
  local kib = collectgarbage("count")
  return { used_bytes = math.floor(kib * 1024), used_kb = math.floor(kib) }
end

local function key_text(key) return type(key) == "string" and key or "[" .. tostring(key) .. "]" end

local function dumped(value, depth, seen)
  if type(value) == "string" then return format("%q", value) end
  if type(value) ~= "table" or debug.getmetatable(value) and debug.getmetatable(value).__tostring then
    return tostring(value)
  end
  if seen[value] then return "<cycle>" end
  if depth >= 8 then return "{...}" end
  seen[value] = true
  local keys, lines = {}, {}
  for key in next, value do keys[#keys + 1] = key end
  sort(keys, function(a, b)
    if type(a) == "number" and type(b) == "number" then return a < b end
    return tostring(a) < tostring(b)
  end)
  for i = 1, #keys do
    lines[i] = string.rep("  ", depth + 1) .. key_text(keys[i]) .. " = "
      .. dumped(value[keys[i]], depth + 1, seen)
  end
  seen[value] = nil
  if #lines == 0 then return "{}" end
  return "{\n" .. concat(lines, ",\n") .. "\n" .. string.rep("  ", depth) .. "}"
end

-- The value as readable text; also recorded when debug records are.
function Debug.dump(value, name)
  local text = dumped(value, 0, {})
  debug_record("debug", name and tostring(name) .. " = " .. text or text)
  return text
end

function Debug.performance_report()
  local report = {}
  for name, entry in next, timings do
    report[name] = { count = entry.count, total_ms = entry.total_ms, max_ms = entry.max_ms,
      average_ms = entry.total_ms / entry.count }
  end
  return report
end

return Logger
