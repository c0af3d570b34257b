-- expect: ok
-- output:
os.exit(2 ^ 53 // 1 | 0, { close = true })
