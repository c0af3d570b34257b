-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
while true do pcall(load, function() while true do end end) end
