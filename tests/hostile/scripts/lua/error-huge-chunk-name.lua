-- expect: script.error | script.memory_limit
-- The name is in every place and every line of the stack.
local fn = load("local function f(n) if n > 0 then return 1 + f(n - 1) end error({}) end f(40)",
  "@" .. ("n"):rep(2 ^ 20))
fn()
