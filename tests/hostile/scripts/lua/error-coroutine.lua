-- expect: script.error
error(coroutine.create(print))
