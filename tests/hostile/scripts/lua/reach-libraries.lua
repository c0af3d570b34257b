-- expect: ok
for _, name in ipairs{ "debug", "package", "python", "ffi", "jit", "posix", "lfs", "bit32", "newproxy", "module", "setfenv", "getfenv", "loadstring" } do
  assert(rawget(_G, name) == nil and _G[name] == nil, name)
end
for _, name in ipairs{ "execute", "remove", "rename", "tmpname", "setlocale" } do assert(os[name] == nil, name) end
for _, name in ipairs{ "popen", "tmpfile" } do assert(io[name] == nil, name) end
assert(string.dump == nil and ("").dump == nil)
return "contained"
