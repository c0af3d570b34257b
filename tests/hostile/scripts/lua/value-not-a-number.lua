-- expect: value.not_json
return { a = { 0 / 0, 1 / 0, -1 / 0 } }
