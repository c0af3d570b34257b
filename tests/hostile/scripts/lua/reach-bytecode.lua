-- expect: ok
local code = "\27LuaT\0\25\147\r\n\26\n\4\8\8xV\0\0\0\0\0\0\0\0\0\0\0(w@\1\0"
for _, mode in ipairs{ "b", "bt", "tb", "t", "", "x" } do
  local ok, fn = pcall(load, code, "x", mode)
  assert(not ok or fn == nil, mode)
  local given
  ok, fn = pcall(load, function() if not given then given = true return code end end, "x", mode)
  assert(not ok or fn == nil, mode)
end
assert(load(code) == nil and load(code:rep(100)) == nil)
return "contained"
