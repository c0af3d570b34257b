-- expect: ok
-- output:
for i = 1, 90 do Async.spawn(function() error({ message = ("x"):rep(1e4), details = { i } }) end) end
for i = 1, 1000 do
  Async.spawn(error, setmetatable({}, { __tostring = function() return "e" .. i end }))
  Async.yield()
end
