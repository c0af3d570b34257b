-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
while true do
  xpcall(error, function() while true do end end)
end
