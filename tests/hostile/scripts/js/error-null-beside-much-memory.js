// expect: script.error
// Nothing ran out: what the script throws stays what it is.
const held = "x".repeat(2e7);
throw held.length ? null : 1;
