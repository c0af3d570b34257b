// Values -> JSON text, for the channel and for `JSON.encode`.
//
// What the language's JSON.stringify would drop or change without a word (functions, NaN) is an
// error here that names the place, or crosses as one of the markers of the protocol.
(function (use) {
  "use strict";
  var p = use("primordials");
  var errors = use("errors");
  var states = use("states");
  var limits = use("options").limits || {};
  var fail = errors.fail;

  var most = limits.value_depth === 0 ? 500 : limits.value_depth || 64;
  var largest = limits.value_mb > 0 ? limits.value_mb * 1048576 : Infinity;

  // `function_id` is set by functions.js.
  var M = { function_id: null };
  var size, channel, pretty, ordered, inArgs;

  function step(key) { return typeof key === "number" ? "[" + key + "]" : "." + key; }

  // Where a value stands, for messages: `argument 1.a.b[2]`, `a.b`, `the value`.
  function place(up, key) {
    var text = "";
    for (; up; key = up.key, up = up.up) text = step(key) + text;
    if (inArgs) return "argument " + (key + 1) + text;
    if (text === "") return "the value";
    return text[0] === "." ? p.StringSlice(text, 1) : text;
  }

  function refuse(up, key, what, hint) {
    fail("value.unsupported", place(up, key) + " is " + what + ", which cannot be passed", hint);
  }

  function grow(bytes) {
    size += bytes + 4;
    if (size > largest) {
      fail("limit.value_size", "a value larger than " + largest + " bytes cannot be passed");
    }
  }

  function quoted(text) {
    var json = p.JSONStringify(text);
    grow(json.length);
    return json;
  }

  function value(v, up, key) {
    switch (typeof v) {
      case "string": return quoted(v);
      case "number":
        if (p.NumberIsFinite(v)) return number(v);
        return fail("value.not_json", place(up, key) + " is not a finite number");
      case "boolean": return v ? "true" : "false";
      case "undefined": return "null";
      case "object": return v === null ? "null" : object(v, up, key);
      case "function": return callable(v, up, key);
      case "symbol": return refuse(up, key, "a symbol");
      default: return refuse(up, key, "a " + typeof v);
    }
  }

  // Beyond 2^53 the digits that are written name the float, not an integer that the host would read.
  function number(v) {
    var text = p.StringC(v);
    var large = channel && (v > 9007199254740992 || v < -9007199254740992);
    return large && p.StringIndexOf(text, "e") < 0 ? text + ".0" : text;
  }

  function callable(v, up, key) {
    var state = states.of(v);
    if (state !== null && state.encode) return special(state, up, key);
    if (channel) return '{"$f":' + M.function_id(v) + "}";
    return refuse(up, key, "a function");
  }

  // Objects of the prelude's own: their state says how they are written.
  function special(state, up, key) {
    var found = state.encode(channel);
    if (typeof found === "string") {
      grow(found.length);
      return found;
    }
    if (found.refused) return refuse(up, key, found.refused);
    return object(found.instead, up, key);
  }

  function object(v, up, key) {
    var state = states.of(v);
    if (state !== null && state.encode) return special(state, up, key);
    var prototype = p.ObjectGetPrototypeOf(v);
    if (prototype === p.ObjectPrototype || prototype === null) return converted(v, up, key);
    if (p.ArrayIsArray(v)) return list(v, v.length, up, key);
    if (errors.isNative(v)) {
      var text = plain(errors.describe(v), up, key);
      return channel ? '{"$e":' + text + "}" : text;
    }
    var builtIn = BUILT_IN[p.ObjectToString(v)];
    if (builtIn) return builtIn(v, up, key);
    return converted(v, up, key);
  }

  // As the language's JSON does: an object may say what it is to be.
  function converted(v, up, key) {
    var toJSON = v.toJSON;
    if (typeof toJSON !== "function") return plain(v, up, key);
    var saved = keep(), instead = p.ReflectApply(toJSON, v, [key === undefined ? "" : "" + key]);
    restore(saved);
    if (typeof instead !== "object" || instead === null) return value(instead, up, key);
    return instead === v ? plain(v, up, key) : object(instead, up, key);
  }

  function enter(v, up, key) {
    var depth = up ? up.depth + 1 : 1;
    if (depth > most) {
      fail("limit.value_depth", "a value nested deeper than " + most + " levels cannot be passed");
    }
    for (var at = up; at; at = at.up) {
      if (at.value === v) fail("value.cycle", place(up, key) + " contains itself");
    }
    return { up: up, key: key, value: v, depth: depth };
  }

  function indent(depth) { return "\n" + p.StringRepeat(pretty, depth); }

  function list(v, length, up, key) {
    var me = enter(v, up, key);
    if (length === 0) return "[]";
    var lead = pretty ? "," + indent(me.depth) : ",";
    var out = pretty ? "[" + indent(me.depth) : "[";
    for (var i = 0; i < length; i++) {
      if (i > 0) out += lead;
      grow(0);
      out += value(v[i], me, i);
    }
    return out + (pretty ? indent(me.depth - 1) + "]" : "]");
  }

  function plain(v, up, key) {
    var me = enter(v, up, key), keys = p.ObjectKeys(v);
    if (ordered) p.ArraySort(keys);
    var colon = pretty ? ": " : ":";
    var lead = pretty ? "," + indent(me.depth) : ",";
    var out = "", count = 0;
    for (var i = 0; i < keys.length; i++) {
      var name = keys[i], one = v[name];
      if (one === undefined) continue;
      if (count++ > 0) out += lead;
      out += quoted(name) + colon + value(one, me, name);
    }
    if (count === 0) return "{}";
    if (pretty) return "{" + indent(me.depth) + out + indent(me.depth - 1) + "}";
    if (channel && count === 1 && p.StringSlice(out, 0, 2) === '"$') return '{"$":{' + out + "}}";
    return "{" + out + "}";
  }

  // built-in objects ------------------------------------------------------------------------------

  function bytes(v, up, key) {
    if (!channel) return refuse(up, key, "bytes");
    var text = p.base64(v);
    grow(text.length);
    return '{"$b":"' + text + '"}';
  }

  function numbers(v, up, key) { return list(v, v.length, up, key); }

  function date(v, up, key) {
    var text;
    try {
      text = p.DateToISOString(v);
    } catch (invalid) {
      return fail("value.not_json", place(up, key) + " is an invalid date");
    }
    return quoted(text);
  }

  function boxed(valueOf) {
    return function (v, up, key) { return value(valueOf(v), up, key); };
  }
  function no(what, hint) {
    return function (v, up, key) { return refuse(up, key, what, hint); };
  }

  var BUILT_IN = p.ObjectCreate(null);
  BUILT_IN["[object Date]"] = date;
  BUILT_IN["[object Number]"] = boxed(p.NumberValueOf);
  BUILT_IN["[object String]"] = boxed(p.StringValueOf);
  BUILT_IN["[object Boolean]"] = boxed(p.BooleanValueOf);
  BUILT_IN["[object RegExp]"] = no("a RegExp", "use its source");
  BUILT_IN["[object Symbol]"] = no("a symbol");
  BUILT_IN["[object Arguments]"] = numbers;
  var BYTES = ["Uint8Array", "Uint8ClampedArray", "ArrayBuffer", "DataView"];
  var NUMBERS = ["Int8Array", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array",
    "Float32Array", "Float64Array"];
  for (var b = 0; b < BYTES.length; b++) BUILT_IN["[object " + BYTES[b] + "]"] = bytes;
  for (var n = 0; n < NUMBERS.length; n++) BUILT_IN["[object " + NUMBERS[n] + "]"] = numbers;

  // entries ---------------------------------------------------------------------------------------

  // What is called of a script while a value is written may write others itself, or wait.
  function keep() { return [size, channel, pretty, ordered, inArgs]; }
  function restore(saved) {
    size = saved[0];
    channel = saved[1];
    pretty = saved[2];
    ordered = saved[3];
    inArgs = saved[4];
  }

  function written(settings, write) {
    var saved = keep();
    restore(settings);
    try {
      return write();
    } finally {
      restore(saved);
    }
  }

  // One value for the channel.
  M.encode = function (v) {
    return written([0, true, "", false, false], function () { return value(v, null, undefined); });
  };

  // The argument list of a host call.
  M.encodeArgs = function (args) {
    return written([0, true, "", false, true], function () {
      var out = "[";
      for (var i = 0; i < args.length; i++) {
        if (i > 0) out += ",";
        out += value(args[i], null, i);
      }
      return out + "]";
    });
  };

  // What `JSON.encode` gives: plain JSON, no handles.
  M.stringify = function (v, indentation, sorted) {
    return written([0, false, indentation, sorted, false], function () {
      return value(v, null, undefined);
    });
  };

  return M;
})
