-- expect: script.output_limit | script.cpu_limit
-- limits: output_mb = 1
while true do pcall(io.write, ("x"):rep(1e5), 1, 2.5) pcall(io.stderr.write, io.stderr, "y\n") end
