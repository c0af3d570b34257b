-- expect: script.error
local e = {}
for _, name in ipairs{ "message", "hint", "retryable", "source", "stack", "details" } do
  e[name] = setmetatable({}, { __tostring = function() while true do end end, __index = error })
end
error(e)
