-- expect: value.bad_key
return { [{}] = 1, [1.5] = 2 }
