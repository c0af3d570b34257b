-- expect: ok
for _, call in ipairs{
  function() Config.set("security.profile", "none") end,
  function() Config.set("security.limits.cpu_s", 0) end,
  function() Config.set("providers.openai.api_key", "x") end,
  function() Security.profile = "none" end,
  function() rawset(Security, "permissions", nil) Security.permissions.files.read[1] = "/" end,
  function() Agent.new{ security = { profile = "none" } } end,
} do pcall(call) end
assert(tostring(Config.get("security.profile")) ~= "none")
assert(not Config.is_file_access_allowed("/etc/passwd"))
assert(not Config.is_network_access_allowed("a.invalid"))
return "contained"
