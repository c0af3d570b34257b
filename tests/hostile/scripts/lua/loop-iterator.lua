-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
for _ in function() return 1 end do end
