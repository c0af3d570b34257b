-- expect: ok
-- No module is loaded, however it is asked for.
for _, name in ipairs{ "os", "io", "debug", "socket", "ffi", "lfs", "../secret", "/etc/passwd", "", "a\0b", ("x"):rep(1e5) } do
  local ok, e = pcall(require, name)
  assert(not ok, name:sub(1, 20))
  assert(tostring(e.code):find("^module%.") or tostring(e.code):find("^policy%.") or e.code == "input.invalid", e.code)
end
return "contained"
