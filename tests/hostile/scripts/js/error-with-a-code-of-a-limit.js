// expect: script.memory_limit | script.error
// It may say what it likes; it ends as an error of the script's, and the host lives.
throw Object.assign(new Error("me"), {
  code: "script.memory_limit", source: "/etc/passwd:1", retryable: "yes", hint: { toString: null },
});
