-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
-- None lives long enough to be counted by itself.
while true do
  coroutine.wrap(function() for _ = 1, 50000 do end end)()
end
