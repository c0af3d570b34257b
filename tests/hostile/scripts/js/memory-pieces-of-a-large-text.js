// expect: script.memory_limit
// Large blocks of memory go back to the system as soon as they are free.
return "a,".repeat(2e7).split("a").length;
