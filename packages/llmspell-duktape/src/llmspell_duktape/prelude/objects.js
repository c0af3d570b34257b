// Objects of the prelude's own that a script gets: read-only, with methods under both spellings.
(function (use) {
  "use strict";
  var p = use("primordials");
  var states = use("states");
  var camel = use("spelling").camel;

  // An object that prints as `text`; the camelCase names are not listed.
  function own(text, methods) {
    var it = {}, names = p.ObjectKeys(methods);
    for (var i = 0; i < names.length; i++) {
      var name = names[i], other = camel(name);
      it[name] = methods[name];
      if (other !== name) p.ObjectDefineProperty(it, other, { value: methods[name] });
    }
    p.ObjectDefineProperty(it, "toString", { value: function () { return text; } });
    states.mark(it, {
      text: function () { return text; },
      encode: function () { return { refused: "a " + p.StringSplit(text, "(")[0] }; },
    });
    return p.ObjectFreeze(it);
  }

  return { own: own };
})
