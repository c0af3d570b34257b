// expect: mine
var error = new Error("again");
error.cause = error.details = error.hint = error.source = error;
error.code = "mine";
throw error;
