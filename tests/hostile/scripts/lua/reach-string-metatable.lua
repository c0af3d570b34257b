-- expect: ok
assert(not getmetatable("") and not pcall(setmetatable, "", {}))
string.rep, string.format, string.find = nil, nil, nil
string.upper = function() return "mine" end
table.concat, table.unpack = nil, nil
assert(Tool.execute("calculator", { input = "2 * 3" }).output == 6)
assert(not pcall(Tool.execute, "calculator", { input = "2 *" }))
print(JSON.stringify({ a = { 1, "x" } }))
return "contained"
