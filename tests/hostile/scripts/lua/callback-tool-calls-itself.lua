-- expect: ok
-- Deeper and deeper, to some limit that is thrown.
Tool.register(Tool.create{ name = "again", description = "d", execute = function(p) return Tool.execute("again", p) end })
local ok, e = pcall(Tool.execute, "again", {})
assert(not ok)
return "contained"
