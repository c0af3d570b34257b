-- expect: script.memory_limit
-- What waits to be written is the script's memory.
local big = ("x"):rep(2 ^ 24)
print(big, big, big, big)
