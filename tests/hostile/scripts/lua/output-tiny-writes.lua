-- expect: script.cpu_limit | script.output_limit
-- limits: output_mb = 1, cpu_s = 0.2
while true do io.write("") io.write("\0") io.stderr:write("") end
