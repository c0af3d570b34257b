// expect: script.error
throw { get stack() { throw 1; }, get message() { throw { get stack() { throw 2; } }; } };
