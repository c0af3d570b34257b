-- expect: script.cpu_limit
-- limits: cpu_s = 0.2
local function bad() error(bad) end
while true do xpcall(error, bad) end
