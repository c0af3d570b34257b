-- expect: script.error
error("\xff\0\27[31m" .. string.char(table.unpack((function() local t = {} for i = 1, 200 do t[i] = 127 + i % 128 end return t end)())))
