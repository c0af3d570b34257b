// From a source to a function, and what is wrong with a source.
(function (use) {
  "use strict";
  var p = use("primordials");
  var sources = use("sources");
  var errors = use("errors");

  // Where the first statement begins: behind spaces and comments.
  function skipBlank(text) {
    for (var i = 0; i < text.length; i++) {
      var two = p.StringSubstring(text, i, i + 2);
      if (two === "//" || two === "/*") {
        var end = p.StringIndexOf(text, two === "//" ? "\n" : "*/", i + 2);
        if (end < 0) return text.length;
        i = two === "//" ? end : end + 1;
      } else if (p.StringIndexOf(" \t\r\n\f\v\u00a0\ufeff", text[i]) < 0) {
        return i;
      }
    }
    return text.length;
  }

  function directive(text) {
    var start = p.StringSubstring(text, skipBlank(text), text.length);
    return p.RegExpExec(/^(["'])use strict\1/, start) ? '"use strict";' : "";
  }

  // Without a byte order mark; a `#!` line becomes a comment, so that line numbers stay.
  function cleaned(source) {
    if (p.StringCharCodeAt(source, 0) === 0xFEFF) source = p.StringSlice(source, 1);
    return p.StringSlice(source, 0, 2) === "#!" ? "//" + p.StringSlice(source, 2) : source;
  }

  // Looking for it is a courtesy: it must not hide the error.
  function newerSyntax(source, line) {
    try {
      return use("syntax").newer(source, line);
    } catch (e) {
      return null;
    }
  }

  // The fields of a syntax error: the engine counts lines from where the region begins.
  function syntaxError(error, source, region) {
    var found = p.RegExpExec(/^(.*) \(line (\d+)(?:, end of input)?\)$/, p.StringC(error.message));
    var message = found ? found[1] : p.StringC(error.message);
    var line = found ? +found[2] - region.base : 1;
    if (line > region.lines) {
      line = region.lines;
      message = "unexpected end of the script";
    }
    // Only the `try` around the source can be one.
    if (message === "invalid try") message = "parse error: a } too many";
    var fields = {
      code: "script.syntax", message: message, retryable: false, stack: "",
      source: region.name + ":" + p.MathMax(1, line),
    };
    var newer = newerSyntax(source, line);
    if (newer) {
      fields.message = "this engine runs ES5.1, which has no " + newer.what;
      fields.hint = newer.hint;
      fields.source = region.name + ":" + newer.line;
    }
    return fields;
  }

  // With `try`, `return f()` is no tail call, so the line of the main chunk is there to be named
  // when `f` fails.
  function wrapped(source, params) {
    return "(function (" + params + ") {" + directive(source) + "try {" + source + "\n} finally {} })";
  }

  function evaluated(text, region) {
    return p.ReflectApply(p.evaluate, undefined, [p.StringRepeat("\n", region.base) + text]);
  }

  // A function of these parameters with the source as its body; throws an error object.
  function compile(source, name, params) {
    source = cleaned(source);
    var region = sources.begin(name, source);
    try {
      return evaluated(wrapped(source, params), region);
    } catch (error) {
      if (!error || error.name !== "SyntaxError") throw error;
      throw errors.make(syntaxError(error, source, region));
    }
  }

  // The same where failing is part of the plan: null.
  function attempt(body, region) {
    try {
      return evaluated("(function () {try {" + body + "\n} finally {} })", region);
    } catch (error) {
      return null;
    }
  }

  return { attempt: attempt, cleaned: cleaned, compile: compile };
})
