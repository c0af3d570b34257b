// JSON text of the channel -> values. Most text has no marker, and the language reads it as it is.
(function (use) {
  "use strict";
  var p = use("primordials");
  var errors = use("errors");
  var snake = use("spelling").snake;

  // What the markers stand for; proxies.js and functions.js add theirs.
  var markers = p.ObjectCreate(null);

  markers.$e = function (fields) { return errors.make(revive(fields)); };
  markers.$b = function (text) { return p.unbase64(text); };
  markers.$ = function (plain) { return fields(plain); };

  // results: plain data that also reads in camelCase, and through one of its fields ----------------

  var has = p.ObjectHasOwn;

  function through(inner, key, other) {
    if (typeof inner !== "object" || inner === null || p.ArrayIsArray(inner)) return undefined;
    if (has(inner, key)) return inner[key];
    return has(inner, other) ? inner[other] : undefined;
  }

  function handler(via, prints) {
    function printed() { return p.StringC(this[prints]); }
    return {
      get: function (target, key) {
        if (typeof key !== "string" || has(target, key)) return target[key];
        var other = snake(key);
        if (other !== key && has(target, other)) return target[other];
        if (via && key !== via && key !== "then" && has(target, via)) {
          var found = through(target[via], key, other);
          if (found !== undefined) return found;
        }
        return prints && key === "toString" ? printed : target[key];
      },
    };
  }

  var handlers = p.ObjectCreate(null);

  markers.$r = function (parts) {
    var id = (parts[1] || "") + "\n" + (parts[2] || "");
    if (!handlers[id]) handlers[id] = handler(parts[1], parts[2]);
    return new p.ProxyC(revive(parts[0]), handlers[id]);
  };

  // reading ---------------------------------------------------------------------------------------

  function fields(value) {
    var keys = p.ObjectKeys(value);
    for (var i = 0; i < keys.length; i++) {
      var one = value[keys[i]];
      if (typeof one === "object" && one !== null) value[keys[i]] = revive(one);
    }
    return value;
  }

  function revive(value) {
    if (typeof value !== "object" || value === null) return value;
    if (p.ArrayIsArray(value)) {
      for (var i = 0; i < value.length; i++) {
        var one = value[i];
        if (typeof one === "object" && one !== null) value[i] = revive(one);
      }
      return value;
    }
    var keys = p.ObjectKeys(value);
    if (keys.length === 1 && p.StringCharCodeAt(keys[0], 0) === 36) {
      var marker = markers[keys[0]];
      if (marker) return marker(value[keys[0]]);
    }
    return fields(value);
  }

  function decode(text) {
    var value = p.JSONParse(text);
    return p.StringIndexOf(text, '"$') < 0 ? value : revive(value);
  }

  return { decode: decode, markers: markers, revive: revive };
})
