// expect: script.memory_limit
return JSON.parse("[" + "[],".repeat(1e6) + "1]").length;
