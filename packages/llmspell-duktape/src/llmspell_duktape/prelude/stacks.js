// Where in the script something happens: from the engine's call stack, or an error's text of it.
//
// Only what was compiled under a name by sources.js is shown; the prelude is called "eval", its
// late files and what the script makes by `Function` "compile".
(function (use) {
  "use strict";
  var p = use("primordials");
  var sources = use("sources");
  var MOST = 30, DEEPEST = 300;

  function own(fn, key) {
    var found = p.ObjectGetOwnPropertyDescriptor(fn, key);
    return found && typeof found.value === "string" ? found.value : "";
  }

  function line(name, place) {
    return name === "" || name === "[anon]" ? "at " + place : "at " + name + " (" + place + ")";
  }

  // Walks up from here; `visit(fn, place)` says whether to go on.
  function walk(visit) {
    for (var level = -3; level > -DEEPEST; level--) {
      var found = p.act(level);
      if (found === undefined) return;
      var fn = found["function"];
      if (typeof fn !== "function" || own(fn, "fileName") !== "input") continue;
      var place = sources.place(found.lineNumber);
      if (place !== null && !visit(fn, place)) return;
    }
  }

  // The innermost line of the script, as `spell.js:12`; undefined when there is none.
  function where() {
    var found;
    walk(function (_, place) {
      found = place;
      return false;
    });
    return found;
  }

  // All of them, the innermost first.
  function stack() {
    var out = "", count = 0;
    walk(function (fn, place) {
      out += (count > 0 ? "\n" : "") + line(own(fn, "name"), place);
      return ++count < MOST;
    });
    return out;
  }

  // The same from what the engine has kept in an error.
  function cleaned(text) {
    var lines = p.StringSplit(text, "\n"), out = "";
    for (var i = 0; i < lines.length; i++) {
      var found = p.RegExpExec(/^\s*at (.*) \(input:(\d+)\)/, lines[i]);
      var place = found && sources.place(+found[2]);
      if (place) out += (out === "" ? "" : "\n") + line(found[1], place);
    }
    return out;
  }

  // The place in the first line of a stack.
  function placeOf(text) {
    var end = p.StringIndexOf(text, "\n");
    var first = end < 0 ? text : p.StringSlice(text, 0, end);
    var found = p.RegExpExec(/^at (?:.* \()?(.*:\d+)\)?$/, first);
    return found ? found[1] : undefined;
  }

  return { cleaned: cleaned, placeOf: placeOf, stack: stack, where: where };
})
