// The first file of the prelude: `use` for the others, and the function that the guest calls.
//
// Each file is a function that gets `use` and returns what it offers. `ask(n)` has the guest
// compile file n and hand it over, so that a session reads only what its script needs; without
// it all files are in `files` from the start. No file trusts anything that a script can change:
// what is needed of the language is taken by primordials.js before a script runs.
(function (ask, files) {
  "use strict";
  const loaded = { __proto__: null };
  let arrived;

  function use(name) {
    let found = loaded[name];
    if (found === undefined) {
      const file = files[name];
      if (typeof file === "number") {
        ask(file);
        found = arrived(use);
      } else {
        found = file(use);
      }
      loaded[name] = found;
    }
    return found;
  }

  loaded.host = { ask };
  Object.defineProperty(globalThis, "llmspell:step", {
    configurable: true,
    value(op, a, b, text) {
      delete globalThis["llmspell:step"];
      const { JSONParse, bare } = use("primordials");
      loaded.options = bare(JSONParse(text));
      return use("session");
    },
  });
  return (file) => { arrived = file; };
})
