// expect: script.error
throw "[uninitialized]";
