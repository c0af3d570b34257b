// The first file of the prelude: `use` for the others. Its value is the one function that the
// guest module calls, and all that there ever is between Python and the engine: text in, text out.
//
// `files` holds other files as functions that get `use`; the first text has the rest, which are
// compiled when a script first needs them. No file trusts what a script can change: what is needed
// of the language is taken by primordials.js before a script runs.
(function (files) {
  "use strict";
  var loaded = Object.create(null);
  var compile = Function, late = null;

  function use(name) {
    var found = loaded[name];
    if (found === undefined) {
      var file = files[name];
      if (file === undefined) file = compile("return " + late[name])();
      found = file(use);
      loaded[name] = found;
    }
    return found;
  }

  var p = use("primordials");
  var session = null;

  // Nothing may be thrown out of here: pyduktape2 would make text of it by calling code of the
  // script, and some values (`throw null`) end the process. What leaves is plain ASCII: anything
  // else pyduktape2 replaces, and it stops at a NUL.
  return function (text) {
    var out;
    try {
      var given = p.JSONParse(text);
      if (late === null) {
        late = given;
        out = "";
      } else if (session === null) {
        loaded.options = given[1];
        session = use("session");
        out = "";
      } else {
        out = session(given);
      }
      if (p.TextEncode(p.encoder, out).length !== out.length) out = "=" + p.base64(out);
    } catch (error) {
      out = '!{"code":"script.crashed","message":"the engine failed","retryable":false}';
      try {
        out = "!" + p.ascii(use("errors").toJson(error));
      } catch (again) {}
    }
    return typeof out === "string" ? out : "";
  };
})
