-- expect: ok
local tries = { "/etc/passwd", "/proc/self/environ", "/proc/self/mem", "../../../../etc/passwd", "/dev/zero", "/dev/stdin",
  "/proc/self/fd/3", "llmspell.toml", ".git/config", "\0/etc/passwd", "", ".", "/", "~/.ssh/id_rsa", ("a/"):rep(5000) }
for _, path in ipairs(tries) do
  for _, open in ipairs{ io.open or error, io.lines or error, io.input or error, loadfile or error, dofile or error } do
    local ok, value = pcall(open, path)
    assert(not ok or not value, path)
  end
  if io.open then
    for _, mode in ipairs{ "w", "r+", "rb\0" } do
      local ok, value = pcall(io.open, path, mode)
      assert(not ok or not value, path .. mode)
    end
  end
end
return "contained"
