-- The `Test` global in Lua: suites and expectations, in the language they are written in.
--
-- Runs in the session before the test file. Its value is what the host drives: `collect`, then
-- `run` for each test.
local declared = Test
local error, pcall, pairs, type, tostring, next = error, pcall, pairs, type, tostring, next
local format, find, sub, match = string.format, string.find, string.sub, string.match
local concat, remove = table.concat, table.remove
local stringify, array = JSON.stringify, JSON.array
local MOST_SHOWN, MOST_LEVELS = 200, 20

-- where ------------------------------------------------------------------------------------------

-- The line of the test file that is running: the nearest one that is not of this file.
local function place()
  for level = 2, MOST_LEVELS do
    local _, text = pcall(error, "", level)
    local file, line = match(tostring(text), "^(.*):(%d+): $")
    if file and not find(file, "llmspell", 1, true) then return file .. ":" .. line end
  end
end

local function fail(message, details)
  error({ code = "test.failed", message = message, details = details, source = place() }, 0)
end

local function misused(message)
  error({ code = "input.invalid", message = message, source = place() }, 0)
end

-- values -----------------------------------------------------------------------------------------

local function short(text)
  if #text <= MOST_SHOWN then return text end
  return sub(text, 1, MOST_SHOWN) .. "..."
end

local function show(value)
  local kind = type(value)
  if kind == "string" then return short(format("%q", value):gsub("\\\n", "\\n")) end
  if kind ~= "table" then return tostring(value) end
  local ok, text = pcall(stringify, value)
  return short(ok and text or tostring(value))
end

local function equal(a, b, seen)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" then return false end
  if seen[a] == b then return true end
  seen[a] = b
  for key, value in pairs(a) do
    if not equal(value, b[key], seen) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function contains(value, part)
  if type(value) == "string" then return find(value, tostring(part), 1, true) ~= nil end
  if type(value) ~= "table" then return false end
  for _, one in pairs(value) do
    if equal(one, part, {}) then return true end
  end
  return false
end

local function comparable(value, other)
  local kind = type(value)
  return kind == type(other) and (kind == "number" or kind == "string")
end

-- expectations -----------------------------------------------------------------------------------

local matchers = {}

function matchers.to_equal(value, wanted) return equal(value, wanted, {}), "to equal " .. show(wanted) end
function matchers.to_be(value, wanted) return rawequal(value, wanted), "to be " .. show(wanted) end
function matchers.to_be_nil(value) return value == nil or value == JSON.null, "to be nil" end
function matchers.to_be_truthy(value) return not not value, "to be truthy" end
function matchers.to_be_falsy(value) return not value, "to be falsy" end
function matchers.to_contain(value, part) return contains(value, part), "to contain " .. show(part) end

function matchers.to_match(value, pattern)
  return type(value) == "string" and find(value, pattern) ~= nil, "to match " .. show(pattern)
end

function matchers.to_have_length(value, length)
  local counts = type(value) == "string" or type(value) == "table"
  return counts and #value == length, "to have the length " .. show(length)
end

function matchers.to_be_greater_than(value, other)
  return comparable(value, other) and value > other, "to be greater than " .. show(other)
end

function matchers.to_be_less_than(value, other)
  return comparable(value, other) and value < other, "to be less than " .. show(other)
end

function matchers.to_be_close_to(value, other, distance)
  distance = distance or 1e-9
  local close = type(value) == "number" and type(other) == "number" and value - other <= distance
    and other - value <= distance
  return close, "to be within " .. show(distance) .. " of " .. show(other)
end

local function plain_name(name) return (tostring(name):gsub("_", "-")) end

local function has(value, wanted)
  if type(wanted) ~= "table" or type(value) ~= "table" then return equal(value, wanted, {}) end
  for key, one in pairs(wanted) do
    if not has(value[key], one) then return false end
  end
  return true
end

local function output_of(value, field, what)
  local list = type(value) == "table" and value[field]
  if type(list) ~= "table" then misused(what .. " expects an agent's output") end
  return list
end

function matchers.to_have_called(value, tool, arguments)
  local called, made = false, {}
  for _, call in ipairs(output_of(value, "tool_calls", "to_have_called")) do
    made[#made + 1] = call.name
    called = called or plain_name(call.name) == plain_name(tool)
      and (arguments == nil or has(call.arguments, arguments))
  end
  local with = arguments == nil and "" or " with " .. show(arguments)
  local instead = "; it called " .. (#made > 0 and concat(made, ", ") or "none")
  return called, "to have called " .. tostring(tool) .. with .. instead
end

function matchers.to_have_handed_off_to(value, ...)
  local went, wanted = output_of(value, "handoff", "to_have_handed_off_to"), { ... }
  local names = #went > 0 and concat(went, ", ") or "nobody"
  local what = "to have handed off to " .. (#wanted > 0 and concat(wanted, ", ") or "nobody")
  return equal(went, wanted, {}), what .. "; it went to " .. names
end

-- The text of what was thrown; a plain table has none but its message.
local function text_of(thrown)
  local text = tostring(thrown)
  if type(thrown) ~= "table" or not find(text, "^table: ") then return text end
  return type(thrown.message) == "string" and thrown.message or show(thrown)
end

function matchers.to_throw(value, part)
  local what = part == nil and "to throw" or "to throw " .. show(part)
  if type(value) ~= "function" then misused("to_throw expects a function: expect(function() ... end)") end
  local ok, thrown = pcall(value)
  if ok then return false, what end
  local code = type(thrown) == "table" and thrown.code or nil
  local fits = part == nil or code == part or find(text_of(thrown), tostring(part), 1, true) ~= nil
  return fits, what, thrown
end

local function names()
  local list = {}
  for name in pairs(matchers) do list[#list + 1] = name end
  table.sort(list)
  return concat(list, ", ")
end

local function snake(key)
  return (tostring(key):gsub("%u", function(letter) return "_" .. letter:lower() end))
end

local function check(value, key, negated, ...)
  local holds, what, thrown = matchers[key](value, ...)
  if holds ~= negated then return end
  local shown = type(value) == "function" and "the function" or show(value)
  if thrown ~= nil then what = what .. ", which threw " .. show(text_of(thrown)) end
  fail("expected " .. shown .. (negated and " never " or " ") .. what,
    { expected = (negated and "never " or "") .. what, actual = shown })
end

local function expectation(value, negated)
  local it = {}
  return setmetatable(it, {
    __name = "expectation",
    __index = function(_, key)
      if key == "never" or key == "not" then return expectation(value, not negated) end
      local name = matchers[key] and key or snake(key)
      if not matchers[name] then
        misused(format('expect has no "%s"; it has %s and never', tostring(key), names()))
      end
      return function(first, ...)
        if rawequal(first, it) then check(value, name, negated, ...) else check(value, name, negated, first, ...) end
      end
    end,
  })
end

-- suites -----------------------------------------------------------------------------------------

local function suite(title, parent)
  return { title = title, parent = parent, items = {}, before = {} }
end

local root = suite(nil, nil)
local current, tests = root, {}

local function declare(what, title, fn, list)
  if not current then misused("Test." .. what .. " is called while a test runs: declare tests before") end
  if type(fn) ~= "function" then misused("Test." .. what .. " expects a function") end
  list[#list + 1] = { what = what, title = title, fn = fn }
end

local function titled(what, title, fn)
  if type(title) ~= "string" then misused("Test." .. what .. " expects a title, then a function") end
  declare(what, title, fn, current and current.items)
end

local function collect(one)
  for _, item in ipairs(one.items) do
    if item.what == "it" then
      tests[#tests + 1] = { title = item.title, fn = item.fn, suite = one }
    else
      current = suite(item.title, one)
      local inner = current
      item.fn()
      collect(inner)
      current = one
    end
  end
end

local function path(one)
  local titles = {}
  while one and one.title do
    table.insert(titles, 1, one.title)
    one = one.parent
  end
  return array(titles)
end

local function prepare(one)
  if one.parent then prepare(one.parent) end
  for _, hook in ipairs(one.before) do hook.fn() end
end

Test = setmetatable({
  describe = function(title, fn) titled("describe", title, fn) end,
  it = function(title, fn) titled("it", title, fn) end,
  before_each = function(fn) declare("before_each", nil, fn, current and current.before) end,
  expect = function(value) return expectation(value, false) end,
  scripted_model = function(...) return declared.scripted_model(...) end,
  fake_tool = function(...) return declared.fake_tool(...) end,
  cassette = function(...) return declared.cassette(...) end,
}, {
  __index = function(it, key) return rawget(it, snake(key)) end,
})

return {
  collect = function()
    collect(root)
    current = nil
    local found = {}
    for index, test in ipairs(tests) do
      found[index] = { title = test.title, suite = path(test.suite) }
    end
    return array(found)
  end,
  run = function(index)
    local test = tests[index]
    prepare(test.suite)
    test.fn()
  end,
}
