// expect: script.error
const error = new Error("details");
error.details = { get more() { throw null; } };
throw error;
