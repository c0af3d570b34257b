-- expect: ok
-- Texts that look like the beginning of a secret, again and again, in errors and logs.
for _, piece in ipairs{ "-----BEGIN ", "-----BEGIN A-----", "eyJ-", "eyJa.", "://a:b", "Bearer ", "sk-", "AKIA", "x is not defined" } do
  local text = piece:rep(1e5 // #piece)
  Logger.error(text, { text = text })
  pcall(Tool.execute, text, {})
  pcall(Tool.execute, "calculator", { input = text })
  Async.spawn(error, text)
end
return "contained"
