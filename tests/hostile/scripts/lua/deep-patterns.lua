-- expect: ok
for _, pattern in ipairs{ ("("):rep(1e4), ("()"):rep(100), "%" , "[" , "%f", "%b", ("%b()"):rep(1e4) } do
  local ok, found = pcall(string.find, ("x"):rep(1000), pattern)
  assert(not ok or found == nil, pattern:sub(1, 10))
end
return "contained"
