-- The script's `string` and `table` libraries.
--
-- `gsub` with a function and `sort` with a comparator are written in Lua, so that they may wait
-- for the host. The functions of `string` accept error objects; methods of strings (`s:find()`)
-- go straight to the C functions.
local errors = import("errors")
local type, tostring, setmetatable, getmetatable = type, tostring, setmetatable, debug.getmetatable
local string, table, unpack, pack, next = string, table, table.unpack, table.pack, next
local find, sub, byte, concat, format = string.find, string.sub, string.byte, table.concat,
  string.format
local Error, bad = errors.Error, errors.bad

local M = {}

local function replaced(value, whole)
  local kind = type(value)
  if not value then return whole end
  if kind == "string" or kind == "number" then return tostring(value) end
  bad("invalid replacement value (a " .. kind .. ")")
end

-- As in lstrlib.c: an empty match right after a match does not count.
local function gsub_function(s, pattern, fn, most)
  local out, count, done, at = {}, 0, 0, 1
  local anchored = byte(pattern) == 94
  local last
  while count < most do
    local found = pack(find(s, pattern, at))
    local from, to = found[1], found[2]
    if not from then break end
    if to + 1 == last then
      -- an empty match where the last one ended: go on one character later
      at = at + 1
      if at > #s + 1 then break end
    else
      count = count + 1
      out[#out + 1] = sub(s, done + 1, from - 1)
      local whole = sub(s, from, to)
      local value
      if found.n > 2 then value = fn(unpack(found, 3, found.n)) else value = fn(whole) end
      out[#out + 1] = replaced(value, whole)
      done, last, at = to, to + 1, to + 1
    end
    if anchored then break end
  end
  out[#out + 1] = sub(s, done + 1)
  return concat(out), count
end

local function gsub(s, pattern, replacement, most)
  if type(replacement) ~= "function" or type(pattern) ~= "string" then
    return string.gsub(s, pattern, replacement, most)
  end
  if type(s) == "number" then s = tostring(s) end
  if type(s) ~= "string" then bad("bad argument #1 to 'gsub' (string expected, got " .. type(s) .. ")") end
  return gsub_function(s, pattern, replacement, most or math.maxinteger)
end

-- Stable merge sort. Works on a copy, so a comparator that lies cannot lose elements.
local function merge_sort(list, count, less)
  local from, to = table.move(list, 1, count, 1, {}), {}
  local width = 1
  while width < count do
    for low = 1, count, 2 * width do
      local middle, high = math.min(low + width, count + 1), math.min(low + 2 * width, count + 1)
      local i, j = low, middle
      for k = low, high - 1 do
        if i < middle and (j >= high or not less(from[j], from[i])) then
          to[k], i = from[i], i + 1
        else
          to[k], j = from[j], j + 1
        end
      end
    end
    from, to = to, from
    width = 2 * width
  end
  table.move(from, 1, count, 1, list)
end

local function sort(list, less)
  if less == nil or type(list) ~= "table" then return table.sort(list, less) end
  if type(less) ~= "function" then
    bad("bad argument #2 to 'sort' (function expected, got " .. type(less) .. ")")
  end
  merge_sort(list, #list, less)
end

-- The C functions under their own names: messages take the name from the field that is called.
local c = {}
for name, fn in next, string do
  if name ~= "dump" then c[name] = fn end
end

local function plain(s)
  if getmetatable(s) == Error then return tostring(s) end
  return s
end

local public = {
  byte = function(s, ...) return c.byte(plain(s), ...) end,
  find = function(s, ...) return c.find(plain(s), ...) end,
  gmatch = function(s, ...) return c.gmatch(plain(s), ...) end,
  gsub = function(s, ...) return gsub(plain(s), ...) end,
  len = function(s) return c.len(plain(s)) end,
  lower = function(s) return c.lower(plain(s)) end,
  match = function(s, ...) return c.match(plain(s), ...) end,
  rep = function(s, ...) return c.rep(plain(s), ...) end,
  reverse = function(s) return c.reverse(plain(s)) end,
  sub = function(s, ...) return c.sub(plain(s), ...) end,
  upper = function(s) return c.upper(plain(s)) end,
  char = string.char, format = string.format, pack = string.pack, packsize = string.packsize,
  unpack = string.unpack,
}

-- The two tables as the script gets them; sets the metatable of strings.
function M.libraries()
  local methods = {}
  for name, fn in next, c do methods[name] = fn end
  methods.gsub = gsub
  local meta = getmetatable("")
  meta.__index = setmetatable(methods, { __index = public })
  meta.__metatable = false
  local lists = {}
  for name, fn in next, table do lists[name] = fn end
  lists.sort = sort
  return public, lists
end

return M
