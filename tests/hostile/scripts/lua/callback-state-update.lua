-- expect: ok | script.wall_limit
-- limits: wall_s = 1
-- A change that changes what it changes is given up.
local ok = pcall(State.update, "k", function(v)
  State.set("k", (State.get("k") or 0) + 1)
  return (v or 0) + 1
end)
assert(not ok)
assert(not pcall(State.transaction, function() State.set("k", print) end))
local function nested() return State.transaction(nested) end
assert(not pcall(nested))
return "contained"
