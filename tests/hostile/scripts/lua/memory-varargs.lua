-- expect: script.memory_limit | script.error | script.wall_limit
-- limits: wall_s = 1
-- Lua's own stack ends at a million values, whatever memory there is.
local function grow(...) return grow(0, 0, 0, 0, ...) end
grow()
