-- expect: script.output_limit | script.memory_limit
-- limits: output_mb = 1
print(("x"):rep(2 ^ 24))
