-- expect: script.memory_limit
-- limits: memory_mb = 24
-- The parser's own memory, from a reader that never ends.
local n = 0
load(function()
  n = n + 1
  return n == 1 and "return {" or "'" .. ("x"):rep(1e5) .. n .. "',"
end)
