-- expect: ok
-- output: before
print("before")
error({ code = "script.exit", message = "x", details = { code = { "no number" } } })
