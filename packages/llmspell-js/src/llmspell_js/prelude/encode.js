// Values -> JSON text, for the channel and for `JSON.encode`.
//
// What the language's JSON.stringify would drop or change without a word (functions, NaN, Map) is
// an error here that names the place, or crosses as one of the markers of the protocol.
(function (use) {
  "use strict";
  const {
    ArrayBufferByteLength, ArrayIsArray, ArraySort, BigIntToString, BigIntValueOf, BooleanValueOf,
    DataViewBuffer, DataViewByteLength, DataViewByteOffset, DateToISOString, ErrorIsError,
    JSONStringify, NumberIsFinite, NumberValueOf, ObjectGetPrototypeOf, ObjectKeys, ObjectPrototype,
    ObjectToString, ReflectApply, StringIndexOf, StringRepeat, StringSlice, StringStartsWith, StringValueOf,
    TypedArrayBuffer, TypedArrayByteLength, TypedArrayByteOffset, TypedArrayLength, TypedArrayTag,
    Uint8ArrayC, Uint8ArrayToBase64, WeakMapC, WeakMapGet, WeakMapSet,
  } = use("primordials");
  const { limits = {} } = use("options");
  const { fail, describe } = use("errors");

  const INT64 = 2n ** 63n;
  const most = limits.value_depth === 0 ? 500 : limits.value_depth ?? 64;
  const largest = limits.value_mb > 0 ? limits.value_mb * 1048576 : Infinity;

  // Object -> how it is written: `(object, channel)` gives a text, or undefined after `instead`.
  const kinds = new WeakMapC();
  const functions = { idOf: null };    // set by functions.js

  let size, channel, pretty, ordered, inArgs, busy = false;

  function step(key) {
    return typeof key === "number" ? "[" + key + "]" : "." + key;
  }

  // Where a value stands, for messages: `argument 1.a.b[2]`, `a.b`, `the value`.
  function place(up, key) {
    let text = "";
    for (; up; key = up.key, up = up.up) text = step(key) + text;
    if (inArgs) return "argument " + (key + 1) + text;
    return text === "" ? "the value" : text[0] === "." ? StringSlice(text, 1) : text;
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
    const json = JSONStringify(text);
    grow(json.length);
    return json;
  }

  function value(v, up, key) {
    switch (typeof v) {
      case "string": return quoted(v);
      case "number":
        if (NumberIsFinite(v)) return number(v);
        return fail("value.not_json", place(up, key) + " is not a finite number");
      case "boolean": return v ? "true" : "false";
      case "undefined": return "null";
      case "bigint": return bigint(v, up, key);
      case "object": return v === null ? "null" : object(v, up, key);
      case "function": return callable(v, up, key);
      default: return refuse(up, key, "a symbol");
    }
  }

  // From 2^53 on the text of a double is not its exact value: it must not be read as an integer.
  function number(v) {
    const text = JSONStringify(v);
    if (!channel || (v < 9007199254740992 && v > -9007199254740992)) return text;
    return StringIndexOf(text, "e") < 0 ? text + ".0" : text;
  }

  function bigint(v, up, key) {
    if (v >= -INT64 && v < INT64) return BigIntToString(v);
    return fail("value.not_json", place(up, key) + " is an integer beyond 64 bits",
      "pass it as a string");
  }

  function callable(v, up, key) {
    const kind = WeakMapGet(kinds, v);
    if (kind) return special(kind, v, up, key);
    if (channel) return '{"$f":' + functions.idOf(v) + "}";
    return refuse(up, key, "a function");
  }

  function special(kind, v, up, key) {
    const found = kind(v, channel);
    if (typeof found === "string") {
      grow(found.length);
      return found;
    }
    if (found.refused) return refuse(up, key, found.refused);
    return object(found.instead, up, key);
  }

  function object(v, up, key) {
    const kind = WeakMapGet(kinds, v);
    if (kind) return special(kind, v, up, key);
    if (ArrayIsArray(v)) return list(v, v.length, up, key);
    const proto = ObjectGetPrototypeOf(v);
    if (proto === ObjectPrototype || proto === null) return converted(v, up, key);
    if (ErrorIsError(v)) {
      const text = plain(describe(v), up, key);
      return channel ? '{"$e":' + text + "}" : text;
    }
    const tag = TypedArrayTag(v);
    if (tag !== undefined) return typedArray(v, tag, up, key);
    const builtIn = BUILT_IN[ObjectToString(v)];
    if (builtIn) return builtIn(v, up, key);
    return converted(v, up, key);
  }

  // As the language's JSON does: an object may say what it is to be.
  function converted(v, up, key) {
    const { toJSON } = v;
    if (typeof toJSON !== "function") return plain(v, up, key);
    const instead = ReflectApply(toJSON, v, [key === undefined ? "" : "" + key]);
    if (typeof instead !== "object" || instead === null) return value(instead, up, key);
    // Only once: what it says it is to be is not asked again.
    const proto = ObjectGetPrototypeOf(instead);
    const isPlain = !ArrayIsArray(instead) && !WeakMapGet(kinds, instead) && (proto === ObjectPrototype || proto === null);
    return instead === v || isPlain ? plain(instead, up, key) : object(instead, up, key);
  }

  function enter(v, up, key) {
    const depth = up ? up.depth + 1 : 1;
    if (depth > most) {
      fail("limit.value_depth", "a value nested deeper than " + most + " levels cannot be passed");
    }
    for (let at = up; at; at = at.up) {
      if (at.value === v) fail("value.cycle", place(up, key) + " contains itself");
    }
    return { up, key, value: v, depth };
  }

  const indent = (depth) => "\n" + StringRepeat(pretty, depth);

  function list(v, length, up, key) {
    const me = enter(v, up, key);
    if (length === 0) return "[]";
    const lead = pretty ? "," + indent(me.depth) : ",";
    let out = pretty ? "[" + indent(me.depth) : "[";
    for (let i = 0; i < length; i++) {
      if (i > 0) out += lead;
      grow(0);
      out += value(v[i], me, i);
    }
    return out + (pretty ? indent(me.depth - 1) + "]" : "]");
  }

  function plain(v, up, key) {
    const me = enter(v, up, key);
    const keys = ObjectKeys(v);
    if (ordered) ArraySort(keys);
    const colon = pretty ? ": " : ":";
    const lead = pretty ? "," + indent(me.depth) : ",";
    let out = "", count = 0;
    for (let i = 0; i < keys.length; i++) {
      const name = keys[i], one = v[name];
      if (one === undefined) continue;
      if (count++ > 0) out += lead;
      out += quoted(name) + colon + value(one, me, name);
    }
    if (count === 0) return "{}";
    if (pretty) return "{" + indent(me.depth) + out + indent(me.depth - 1) + "}";
    if (channel && count === 1 && StringStartsWith(out, '"$')) return '{"$":{' + out + "}}";
    return "{" + out + "}";
  }

  // built-in objects ------------------------------------------------------------------------------

  function bytes(view, up, key) {
    if (!channel) return refuse(up, key, "bytes");
    const text = Uint8ArrayToBase64(view);
    grow(text.length);
    return '{"$b":"' + text + '"}';
  }

  function typedArray(v, tag, up, key) {
    if (tag !== "Uint8Array" && tag !== "Uint8ClampedArray") {
      return list(v, TypedArrayLength(v), up, key);
    }
    return bytes(new Uint8ArrayC(TypedArrayBuffer(v), TypedArrayByteOffset(v),
      TypedArrayByteLength(v)), up, key);
  }

  function date(v, up, key) {
    let text;
    try {
      text = DateToISOString(v);
    } catch {
      return fail("value.not_json", place(up, key) + " is an invalid date");
    }
    return quoted(text);
  }

  const no = (what, hint) => (v, up, key) => refuse(up, key, what, hint);
  const boxed = (valueOf) => (v, up, key) => value(valueOf(v), up, key);
  const BUILT_IN = {
    __proto__: null,
    "[object Date]": date,
    "[object ArrayBuffer]": (v, up, key) => bytes(new Uint8ArrayC(v, 0, ArrayBufferByteLength(v)), up, key),
    "[object DataView]": (v, up, key) => bytes(
      new Uint8ArrayC(DataViewBuffer(v), DataViewByteOffset(v), DataViewByteLength(v)), up, key),
    "[object Number]": boxed(NumberValueOf),
    "[object String]": boxed(StringValueOf),
    "[object Boolean]": boxed(BooleanValueOf),
    "[object BigInt]": boxed(BigIntValueOf),
    "[object Map]": no("a Map", "use Object.fromEntries(map)"),
    "[object Set]": no("a Set", "use [...set]"),
    "[object WeakMap]": no("a WeakMap"),
    "[object WeakSet]": no("a WeakSet"),
    "[object WeakRef]": no("a WeakRef"),
    "[object Promise]": no("a Promise", "await it first"),
    "[object RegExp]": no("a RegExp", "use its source"),
    "[object Generator]": no("a generator", "use [...generator]"),
    "[object AsyncGenerator]": no("a generator"),
    "[object Symbol]": no("a symbol"),
  };

  // entries ---------------------------------------------------------------------------------------

  // What is written may run code of the script, which may have something else written meanwhile.
  function run(forChannel, write, given) {
    const before = busy ? [size, channel, pretty, ordered, inArgs] : null;
    size = 0;
    channel = forChannel;
    pretty = "";
    ordered = inArgs = false;
    busy = true;
    try {
      return write(given);
    } finally {
      busy = before !== null;
      if (busy) restore(before);
    }
  }

  function restore(before) {
    size = before[0];
    channel = before[1];
    pretty = before[2];
    ordered = before[3];
    inArgs = before[4];
  }

  const whole = (v) => value(v, null, undefined);

  function argumentList(args) {
    inArgs = true;
    let out = "[";
    for (let i = 0; i < args.length; i++) {
      if (i > 0) out += ",";
      out += value(args[i], null, i);
    }
    return out + "]";
  }

  function laidOut(given) {
    pretty = given[1];
    ordered = given[2];
    return whole(given[0]);
  }

  return {
    // One value for the channel.
    encode: (v) => run(true, whole, v),
    // The argument list of a host call.
    encodeArgs: (args) => run(true, argumentList, args),
    // What `JSON.encode` gives: plain JSON, no handles.
    stringify: (v, indentation, sorted) => run(false, laidOut, [v, indentation, sorted]),
    functions, kinds,
    kind: (v, how) => WeakMapSet(kinds, v, how),
  };
})
