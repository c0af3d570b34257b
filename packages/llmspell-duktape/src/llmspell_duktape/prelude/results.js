// Results of the host: plain objects that inherit their other names.
//
// A prototype for each set of fields has what reads in camelCase, and what reads through the field
// `via`; it is listed nowhere, and what the object itself has comes first.
(function (use) {
  "use strict";
  var p = use("primordials");
  var camel = use("spelling").camel;
  var has = p.ObjectHasOwn;
  var shapes = p.ObjectCreate(null), count = 0, MOST = 500;

  function isTable(value) {
    return typeof value === "object" && value !== null && !p.ArrayIsArray(value);
  }

  function define(shape, name, get) {
    if (has(shape, name)) return;
    p.ObjectDefineProperty(shape, name, {
      get: get, configurable: true,
      set: function (value) {
        p.ObjectDefineProperty(this, name,
          { value: value, writable: true, enumerable: true, configurable: true });
      },
    });
  }

  function own(key) {
    return function () { return has(this, key) ? this[key] : undefined; };
  }

  function within(via, key) {
    return function () {
      var inner = has(this, via) ? this[via] : undefined;
      return isTable(inner) ? inner[key] : undefined;
    };
  }

  function create(keys, via, inner, prints) {
    var shape = p.ObjectCreate(p.ObjectPrototype), i;
    for (i = 0; i < keys.length; i++) {
      if (camel(keys[i]) !== keys[i]) define(shape, camel(keys[i]), own(keys[i]));
    }
    for (i = 0; i < inner.length; i++) {
      if (inner[i] === "then") continue;
      define(shape, inner[i], within(via, inner[i]));
      define(shape, camel(inner[i]), within(via, inner[i]));
    }
    if (prints) {
      p.ObjectDefineProperty(shape, "toString",
        { value: function () { return p.StringC(this[prints]); }, configurable: true });
    }
    return shape;
  }

  function shaped(value, via, prints) {
    var keys = p.ObjectKeys(value);
    var inner = via !== "" && isTable(value[via]) ? p.ObjectKeys(value[via]) : [];
    var id = p.ArrayJoin([via, prints, p.ArrayJoin(keys, "\n"), p.ArrayJoin(inner, "\n")], "\0");
    if (!shapes[id]) {
      if (count++ >= MOST) {
        shapes = p.ObjectCreate(null);
        count = 1;
      }
      shapes[id] = create(keys, via, inner, prints);
    }
    return p.ObjectSetPrototypeOf(value, shapes[id]);
  }

  return { shaped: shaped };
})
