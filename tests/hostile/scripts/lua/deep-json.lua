-- expect: ok
for _, text in ipairs{ ("["):rep(1e6), ('{"a":'):rep(1e5), ("[1,"):rep(1e5), '"\\' .. ("\\"):rep(1e6) } do
  assert(not pcall(JSON.parse, text))
end
local t = {}
for _ = 1, 1e5 do t = { t } end
assert(not pcall(JSON.stringify, t))
assert(not pcall(State.set, "deep", t))
return "contained"
