-- expect: script.error | script.memory_limit
local function f() return coroutine.wrap(f)() end
f()
