-- expect: script.protocol | script.error
error({ code = "script.protocol", message = "not true", source = "/etc/passwd:1" })
