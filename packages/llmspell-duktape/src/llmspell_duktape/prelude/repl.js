// Compiling one input of a REPL: its last expression is its value, and what it declares at the top
// becomes a global that the next inputs see.
//
// The engine's own `eval` does both, but nothing within it could wait.
(function (use) {
  "use strict";
  var p = use("primordials");
  var sources = use("sources");
  var compiler = use("compile");
  var cut = use("tokens").cut;

  var OPENS = "([{", CLOSES = ")]}";

  function isOneOf(marks, token) {
    return token.type === "mark" && p.StringIndexOf(marks, token.text) >= 0;
  }

  // Marks each token with `depth` (open brackets) and `inner` (whether within a function).
  function nest(tokens) {
    var stack = p.array(), functions = 0, pending = false;
    for (var i = 0; i < tokens.length; i++) {
      var token = tokens[i];
      if (isOneOf(CLOSES, token) && stack.length > 0) {
        if (stack[stack.length - 1]) functions--;
        stack.length--;
      }
      token.depth = stack.length;
      token.inner = functions > 0;
      if (isOneOf(OPENS, token)) {
        var body = pending && token.text === "{";
        stack[stack.length] = body;
        if (body) {
          functions++;
          pending = false;
        }
      } else if (token.type === "name" && token.text === "function") {
        pending = true;
      }
    }
    return tokens;
  }

  function isWord(token, text) { return token && token.type === "name" && token.text === text; }

  // The names that a `var` at `i` declares.
  function declared(tokens, i, names) {
    var depth = tokens[i].depth, expected = true;
    for (i++; i < tokens.length && tokens[i].depth >= depth; i++) {
      var token = tokens[i];
      if (token.depth > depth) continue;
      if (token.type === "mark" && token.text === ";") return;
      if (expected && token.type === "name") names[token.text] = true;
      expected = token.type === "mark" && token.text === ",";
    }
  }

  function beginsStatement(tokens, i) {
    return i === 0 || isOneOf(";{}", tokens[i - 1]) || tokens[i - 1].line < tokens[i].line;
  }

  // The source without `var` at the top, and what comes before it.
  function hoisted(source, tokens) {
    var names = p.ObjectCreate(null), functions = "", out = "", from = 0;
    for (var i = 0; i < tokens.length; i++) {
      var token = tokens[i];
      if (token.inner) continue;
      if (isWord(token, "var") || isWord(token, "const")) {
        declared(tokens, i, names);
        out += p.StringSubstring(source, from, token.start) + p.StringRepeat(" ", token.text.length);
        from = token.end;
      } else if (isWord(token, "function") && token.depth === 0 && tokens[i + 1]
          && tokens[i + 1].type === "name" && beginsStatement(tokens, i)) {
        functions += "this." + tokens[i + 1].text + "=" + tokens[i + 1].text + ";";
      }
    }
    var list = p.ObjectKeys(names);
    for (i = 0; i < list.length; i++) {
      if (!(list[i] in p.globals)) p.globals[list[i]] = undefined;
    }
    return { before: functions, text: out + p.StringSubstring(source, from, source.length) };
  }

  // Whether a statement may begin at `i`: after a `;`, a `}`, or an end of line that ends one.
  function maybeStatement(tokens, i) {
    var token = tokens[i], last = tokens[i - 1];
    if (token.depth > 0 || isOneOf(";)]}", token) || isWord(token, "function")) return false;
    if (isOneOf(";", last)) return true;
    if (token.type === "mark" && !isOneOf("!~{", token)) return false;
    if (isWord(token, "in") || isWord(token, "instanceof")) return false;
    if (isOneOf("}", last)) return true;
    return last.line < token.line && (last.type !== "mark" || isOneOf(")]", last));
  }

  function withoutEnd(tokens, source) {
    var last = tokens.length - 1;
    while (last > 0 && isOneOf(";", tokens[last])) last--;
    return p.StringSubstring(source, 0, tokens[last].end);
  }

  function compile(source, name) {
    source = compiler.cleaned(source);
    var tokens = nest(cut(source)), region = sources.begin(name, source), fn = null;
    if (tokens.length === 0) return compiler.compile(source, name, "");
    var text = withoutEnd(tokens, source);
    if (!isWord(tokens[0], "function")) {
      fn = compiler.attempt("return (" + text + "\n)", region);
      if (fn) return fn;
    }
    var found = hoisted(source, tokens);
    for (var i = tokens.length - 1; i > 0 && fn === null; i--) {
      if (!maybeStatement(tokens, i)) continue;
      var head = p.StringSubstring(found.text, 0, tokens[i].start);
      if (isOneOf(";", tokens[i - 1]) || compiler.attempt(head, region)) {
        var tail = p.StringSubstring(found.text, tokens[i].start, text.length);
        fn = compiler.attempt(found.before + head + "return (" + tail + "\n)", region);
      }
    }
    fn = fn || compiler.attempt(found.before + found.text, region);
    // What is wrong, the source as it was written says best.
    return fn || compiler.compile(source, name, "");
  }

  return { compile: compile };
})
