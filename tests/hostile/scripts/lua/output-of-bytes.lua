-- expect: ok
-- Bytes that are no text, cut between two writes, and codes of terminals.
for i = 0, 255 do io.write(string.char(i)) end
for _ = 1, 100 do io.write("\xf0\x9f", "\x98", "\x80\xff", "\27]0;title\7\27[2J\r") end
io.stderr:write("\xed\xa0\x80\0")
return "contained"
