-- expect: script.cpu_limit
while true do end
