-- expect: value.unsupported
return { co = coroutine.create(print) }
