-- expect: limit.hooks | script.wall_limit
for _ = 1, 1e9 do Hook.register("after_script", print) end
