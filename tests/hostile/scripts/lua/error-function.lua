-- expect: script.error
error(print)
