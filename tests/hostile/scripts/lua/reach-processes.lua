-- expect: ok
for _, name in ipairs{ "process-executor", "environment-reader", "system-monitor", "service-checker", "file-operations", "file-watcher" } do
  for _, input in ipairs{ { executable = "id", command = "id" }, { operation = "get", name = "PATH" }, { operation = "read", path = "/etc/passwd" } } do
    local ok, found = pcall(Tool.execute, name, input)
    assert(not ok or not tostring(found.text):find("root:") and not tostring(found.text):find("uid="), name)
  end
end
return "contained"
