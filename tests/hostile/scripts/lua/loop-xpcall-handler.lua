-- expect: script.cpu_limit
-- limits: cpu_s = 0.3
while true do
  xpcall(error, function() while true do end end)
end
