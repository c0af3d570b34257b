// JSON text of the channel -> values. Most text has no marker, and the language reads it as it is.
(function (use) {
  "use strict";
  var p = use("primordials");
  var errors = use("errors");
  var results = use("results");

  // What the markers stand for; proxies.js and functions.js add theirs.
  var markers = p.ObjectCreate(null);

  markers.$e = function (fields) { return errors.make(revive(fields), true); };
  markers.$b = function (text) { return p.unbase64(text); };
  markers.$ = function (plain) { return fields(plain); };

  // Results: plain data that also reads in camelCase, and through one of its fields.
  markers.$r = function (parts) {
    return results.shaped(revive(parts[0]), parts[1] || "", parts[2] || "");
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
