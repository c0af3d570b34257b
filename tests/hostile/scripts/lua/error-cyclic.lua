-- expect: script.error
local e = { message = "round", code = "script.error" }
e.details, e.cause, e.hint = e, { e }, e
error(e)
