-- expect: ok
Logger.info(("x"):rep(2 ^ 23))
Logger.info(("\xff"):rep(1e6), { [("k"):rep(1e6)] = ("\xff"):rep(1e6) })
Logger.error({}, setmetatable({}, { __pairs = error, __index = error }))
local cyclic = {}
cyclic.cyclic = cyclic
Logger.error(nil, cyclic)
Logger.info("f", { print, coroutine.create(print), 0 / 0, [{}] = 1 })
for i = 1, 2000 do Logger.new(("logger"):rep(100) .. i).info("x") end
return "contained"
