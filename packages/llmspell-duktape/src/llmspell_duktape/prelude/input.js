// `stdin`: text, lines and JSON of the standard input.
(function (use) {
  "use strict";
  var p = use("primordials");
  var M = use("calls");
  var STDIN = M.wire("stdin");

  function read(how) { return M.call(STDIN, "read", [how === undefined ? "l" : how]); }
  function text() { return read("a") || ""; }

  return p.ObjectFreeze({
    name: "stdin",
    // A line without its end ("l", the default) or with it ("L"), all ("a"), a number of
    // characters; null at the end.
    read: read,
    text: text,
    lines: function () {
      var lines = p.array();
      for (var line = read("l"); line !== null; line = read("l")) lines[lines.length] = line;
      return p.given(lines);
    },
    json: function () { return p.JSONParse(text()); },
    toString: function () { return "file (stdin)"; },
  });
})
