// What the prelude knows of an object in the script's hands. The engine has no WeakMap.
//
// Asking an object for the property KEY makes it tell its state to this file, never to who asks:
// a script that gets hold of the key, by a Proxy of its own, learns nothing from it.
(function (use) {
  "use strict";
  var p = use("primordials");
  var KEY = p.SymbolC("llmspell");
  var told = null;

  function tell(state) { told = state; }

  // The state of an object, or null.
  function of(value) {
    told = null;
    if (value !== null && (typeof value === "object" || typeof value === "function")) value[KEY];
    var found = told;
    told = null;
    return found;
  }

  // Made apart from the object, which would else hold itself and wait for the collector.
  function teller(state) {
    return { get: function () { told = state; } };
  }

  function mark(value, state) {
    p.ObjectDefineProperty(value, KEY, teller(state));
    return value;
  }

  return { KEY: KEY, mark: mark, of: of, tell: tell };
})
