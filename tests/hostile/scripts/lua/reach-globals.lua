-- expect: ok
for _, name in ipairs{ "debug", "package", "python", "ffi", "jit" } do
  assert(_G[name] == nil, name)
end
return "contained"
