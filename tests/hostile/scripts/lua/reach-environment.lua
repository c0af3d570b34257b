-- expect: ok
for _, name in ipairs{ "PATH", "PWD", "OPENAI_API_KEY", "VIRTUAL_ENV", "", "HOME=", "HOME\0", ("X"):rep(1e6) } do
  local ok, value = pcall(os.getenv, name)
  assert(not ok or value == nil, name:sub(1, 20))
  ok, value = pcall(Utils.env, name)
  assert(not ok or value == nil, name:sub(1, 20))
end
return "contained"
