-- expect: script.cpu_limit
-- limits: cpu_s = 0.3
while true do end
