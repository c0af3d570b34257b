// expect: mine
const error = new Error("again", { cause: null });
error.cause = error.details = error.hint = error.source = error.errors = error;
error.code = "mine";
throw error;
