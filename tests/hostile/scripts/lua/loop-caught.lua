-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
while true do
  pcall(function() while true do end end)
end
