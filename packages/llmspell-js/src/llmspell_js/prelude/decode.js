// JSON text of the channel -> values. Most text has no marker, and the language reads it as it is.
(function (use) {
  "use strict";
  const {
    ArrayIsArray, JSONParse, ObjectCreate, ObjectFreeze, ObjectGetPrototypeOf, ObjectHasOwn, ObjectKeys,
    ObjectPrototype, ObjectSetPrototypeOf, ProxyC, ReflectGet, StringC, StringCharCodeAt,
    StringIndexOf, Uint8ArrayFromBase64, WeakMapC, WeakMapGet, WeakMapSet,
  } = use("primordials");
  const { make } = use("errors");
  const { snake } = use("spelling");

  // What the markers stand for; proxies.js and functions.js add theirs.
  const markers = { __proto__: null };

  markers.$e = (fields) => make(revive(fields));
  markers.$b = Uint8ArrayFromBase64;
  markers.$ = (plain) => fields(plain);

  // results: plain data that also reads in camelCase, and through one of its fields ----------------

  const prototypes = { __proto__: null };
  const printing = new WeakMapC();     // prototype -> the field that its results print as

  function otherwise(via) {
    return (target, key, receiver) => {
      if (typeof key !== "string" || ObjectHasOwn(target, key)) return ReflectGet(target, key, receiver);
      const other = snake(key);
      if (other !== key && ObjectHasOwn(receiver, other)) return receiver[other];
      if (via && key !== "then" && key !== via && ObjectHasOwn(receiver, via)) {
        const inner = receiver[via];
        if (typeof inner === "object" && inner !== null && !ArrayIsArray(inner)) {
          if (ObjectHasOwn(inner, key)) return inner[key];
          if (ObjectHasOwn(inner, other)) return inner[other];
        }
      }
      return ReflectGet(target, key, receiver);
    };
  }

  function resultPrototype(via, prints) {
    const id = via + "\n" + prints;
    let found = prototypes[id];
    if (!found) {
      const target = ObjectCreate(ObjectPrototype);
      if (prints) {
        target.toString = { toString() { return StringC(this[prints]); } }.toString;
      }
      found = prototypes[id] = new ProxyC(ObjectFreeze(target), { __proto__: null, get: otherwise(via) });
      if (prints) WeakMapSet(printing, found, prints);
    }
    return found;
  }

  markers.$r = (parts) => ObjectSetPrototypeOf(
    revive(parts[0]), resultPrototype(parts[1] ?? "", parts[2] ?? ""));

  // reading ---------------------------------------------------------------------------------------

  function fields(value) {
    const keys = ObjectKeys(value);
    for (let i = 0; i < keys.length; i++) {
      const one = value[keys[i]];
      if (typeof one === "object" && one !== null) value[keys[i]] = revive(one);
    }
    return value;
  }

  function revive(value) {
    if (typeof value !== "object" || value === null) return value;
    if (ArrayIsArray(value)) {
      for (let i = 0; i < value.length; i++) {
        const one = value[i];
        if (typeof one === "object" && one !== null) value[i] = revive(one);
      }
      return value;
    }
    const keys = ObjectKeys(value);
    if (keys.length === 1 && StringCharCodeAt(keys[0], 0) === 36) {
      const marker = markers[keys[0]];
      if (marker) return marker(value[keys[0]]);
    }
    return fields(value);
  }

  function decode(text) {
    const value = JSONParse(text);
    return StringIndexOf(text, '"$') < 0 ? value : revive(value);
  }

  return {
    decode, markers, revive,
    // The field that a result prints as, if any.
    printsAs: (value) => WeakMapGet(printing, ObjectGetPrototypeOf(value) ?? value),
  };
})
