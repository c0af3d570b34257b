-- expect: script.output_limit | script.cpu_limit
-- limits: output_mb = 1
while true do print(("x"):rep(1000)) end
