// What a source uses that ES5.1 does not have: asked when it does not compile.
(function (use) {
  "use strict";
  var p = use("primordials");
  var HINT = "the modern engine runs it:  pip install 'llmspell[js]'  and then  --engine js";

  var NAMES = p.ObjectCreate(null), list = "Promise Map Set WeakMap WeakSet WeakRef BigInt Intl "
    + "structuredClone queueMicrotask URL URLSearchParams AbortController fetch";
  p.StringSplit(list, " ").forEach(function (name) { NAMES[name] = true; });

  function is(token, text) { return token !== undefined && token.text === text; }
  function isName(token) { return token !== undefined && token.type === "name"; }
  function opens(token) { return isName(token) || is(token, "{") || is(token, "["); }

  // What a word that newer versions reserve stands for here; undefined for an ordinary name.
  var WORDS = p.ObjectCreate(null);
  WORDS.let = function (next) { return opens(next) ? "let" : undefined; };
  WORDS["const"] = WORDS["var"] = function (next) {
    return is(next, "{") || is(next, "[") ? "destructuring" : undefined;
  };
  WORDS["class"] = function (next) { return isName(next) || is(next, "{") ? "class" : undefined; };
  WORDS.async = function (next) {
    return is(next, "function") || isName(next) || is(next, "(") ? "async functions" : undefined;
  };
  WORDS.await = function (next) {
    return isName(next) || is(next, "(") || is(next, "[") ? "await" : undefined;
  };
  WORDS["import"] = function (next) {
    return is(next, ":") ? undefined : "import (require loads CommonJS modules)";
  };
  WORDS["export"] = function (next) {
    return is(next, ":") ? undefined : "export (a script's result is its top-level return)";
  };
  WORDS["function"] = function (next) { return is(next, "*") ? "generators" : undefined; };
  WORDS["catch"] = function (next) { return is(next, "{") ? "catch without a name" : undefined; };
  WORDS.of = function (next, last) { return isName(last) || is(last, "]") ? "for...of" : undefined; };

  var MARKS = p.ObjectCreate(null);
  MARKS["=>"] = "arrow functions (=>)";
  MARKS["..."] = "spread and rest (...)";
  MARKS["?."] = "optional chaining (?.)";
  MARKS["??"] = "the ?? operator";

  // `function f(a = 1)`, `function f({a})`
  function parameters(tokens, i) {
    var depth = 0;
    for (i++; i < tokens.length; i++) {
      if (is(tokens[i], "(")) depth++;
      else if (is(tokens[i], ")") && --depth === 0) return undefined;
      else if (is(tokens[i], "=")) return "default parameters";
      else if (is(tokens[i], "{") || is(tokens[i], "[")) {
        return depth > 0 ? "destructuring" : undefined;
      }
    }
    return undefined;
  }

  function named(tokens, i) {
    var token = tokens[i], last = tokens[i - 1], next = tokens[i + 1];
    if (is(last, ".")) return undefined;
    var found = WORDS[token.text] && WORDS[token.text](next, last);
    if (found && token.text === "await" && is(last, "function")) return undefined;
    return found || (token.text === "function" ? parameters(tokens, i) : undefined);
  }

  function whatOf(tokens, i) {
    var token = tokens[i];
    if (token.type === "template") return "template strings (`...`)";
    if (token.type === "number") return p.RegExpExec(/n$/, token.text) ? "BigInt" : undefined;
    if (token.type === "mark") return MARKS[token.text];
    return token.type === "name" ? named(tokens, i) : undefined;
  }

  // The first use of newer syntax up to a line: `{what, line, hint}`, or null.
  function newer(source, line) {
    var tokens = use("tokens").cut(source);
    for (var i = 0; i < tokens.length && tokens[i].line <= line; i++) {
      var what = whatOf(tokens, i);
      if (what) return { what: what, line: tokens[i].line, hint: HINT };
    }
    return null;
  }

  return {
    newer: newer,
    hintForName: function (name) {
      return NAMES[name] ? "this engine runs ES5.1, which has no " + name + "; " + HINT : undefined;
    },
  };
})
