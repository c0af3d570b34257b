// A source cut into tokens: `{type, text, line, start, end}`, well enough to look for newer syntax
// and to find the statements of a REPL's input. Types: name, number, string, regexp, template, mark.
(function (use) {
  "use strict";
  var p = use("primordials");

  // After these a slash begins a regular expression.
  var BEFORE_VALUE = p.RegExpExec.bind(null,
    /^(?:return|typeof|case|in|of|delete|void|throw|new|else|do|instanceof)$/);
  var BLANK = /^(?:[\s\ufeff]+|\/\/[^\n]*|\/\*[^]*?\*\/)/;
  var KINDS = [
    ["name", /^[A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*/],
    ["number", /^(?:0[xXbBoO][\da-fA-F]+n?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?n?)/],
    ["string", /^(?:"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*')/],
    ["template", /^`(?:[^`\\]|\\[^])*`?/],
    ["mark", /^(?:=>|\.\.\.|\?\.|\?\?|[^])/],
  ];
  var REGEXP = /^\/(?:[^\/\\\n\[]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+\/[a-z]*/;
  var PIECE = 4096;

  function startsValue(last) {
    if (!last) return true;
    if (last.type === "name") return BEFORE_VALUE(last.text) !== null;
    return last.type === "mark" && p.StringIndexOf(")]}", last.text) < 0;
  }

  function match(rest, last) {
    if (rest[0] === "/" && startsValue(last)) {
      var regexp = p.RegExpExec(REGEXP, rest);
      if (regexp) return { type: "regexp", text: regexp[0] };
    }
    for (var i = 0; i < KINDS.length; i++) {
      var found = p.RegExpExec(KINDS[i][1], rest);
      if (found) return { type: KINDS[i][0], text: found[0] };
    }
    return null;
  }

  function lines(text) {
    var count = 0, at = -1;
    while ((at = p.StringIndexOf(text, "\n", at + 1)) >= 0) count++;
    return count;
  }

  function cut(source) {
    var list = p.array(), at = 0, line = 1;
    while (at < source.length) {
      // A piece at a time: the engine copies what is matched against.
      var rest = p.StringSubstring(source, at, at + PIECE);
      var blank = p.RegExpExec(BLANK, rest);
      var token = blank ? null : match(rest, list[list.length - 1]);
      if (!blank && token === null) return list;
      var text = blank ? blank[0] : token.text;
      if (text.length === rest.length && at + PIECE < source.length) {
        rest = p.StringSubstring(source, at, source.length);
        blank = p.RegExpExec(BLANK, rest);
        token = blank ? null : match(rest, list[list.length - 1]);
        text = blank ? blank[0] : token.text;
      }
      if (token) {
        token.line = line;
        token.start = at;
        token.end = at + text.length;
        list[list.length] = token;
      }
      at += text.length;
      line += lines(text);
    }
    return list;
  }

  return { cut: cut };
})
