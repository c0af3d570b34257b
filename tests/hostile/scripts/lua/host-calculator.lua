-- expect: ok
for _, input in ipairs{ "9**9**9**9", "9^9^9^9", "factorial(100000)", ("("):rep(1e5) .. "1", ("-"):rep(1e5) .. "1", "1" .. ("+1"):rep(1e5),
  "2**(2**100)", "10**100000000 % 3", "sqrt(" .. ("9"):rep(1e5) .. ")", ("9"):rep(5e5) .. "*" .. ("9"):rep(4e5), "__import__('os').system('id')",
  "().__class__", "[x for x in range(1e9)]", "max(" .. ("1,"):rep(1e5) .. "1)", "1 << 10000000000" } do
  local ok, found = pcall(Tool.execute, "calculator", { input = input })
  assert(not ok or type(found.output) ~= "string" or #found.output < 1e5, input:sub(1, 20))
end
return "contained"
