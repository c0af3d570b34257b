-- expect: script.wall_limit | script.host_calls_limit | ok
-- limits: wall_s = 1
-- output: 2
-- A hook is not entered again by what it starts itself, however many there are.
for _, point in ipairs{ "before_tool_execution", "after_tool_execution", "tool_error" } do
  for _ = 1, 3 do
    Hook.register(point, function() pcall(Tool.execute, "calculator", { input = "1 +" }) end)
  end
end
print(Tool.execute("calculator", { input = "1 + 1" }).output // 1)
