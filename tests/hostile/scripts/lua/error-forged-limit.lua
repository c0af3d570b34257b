-- expect: script.host_calls_limit
error({ code = "script.host_calls_limit", message = "not true" })
