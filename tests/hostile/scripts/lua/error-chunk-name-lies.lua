-- expect: script.error
load("\n\nerror('x')", "@/etc/passwd\n\27[2Jspell.lua:1")()
