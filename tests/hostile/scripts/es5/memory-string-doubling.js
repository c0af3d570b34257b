// expect: script.memory_limit
var text = "x";
for (;;) text += text;
