// expect: script.error
throw null;
