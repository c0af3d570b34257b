-- expect: ok
for _, open in ipairs{ "(", "{", "- ", "not ", "f(", "function() return ", "a.b[", "do ", "while 1 do " } do
  local fn = load("return " .. open:rep(2e5))
  assert(fn == nil, open)
end
return "contained"
