// structuredClone.
(function (use) {
  "use strict";
  const { DOMExceptionC, ErrorIsError, ErrorStack, ObjectToString, TypedArrayTag, globals } = use("primordials");
  const { textOf } = use("proxies");
  const { ArrayBuffer, DataView, Date, Map, RegExp, Set } = globals;
  const ERRORS = ["EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"];

  function refuse(what) {
    throw new DOMExceptionC(`${what} could not be cloned`, "DataCloneError");
  }

  function buffer(value) {
    return value.slice(0);
  }

  function view(value, copy) {
    const tag = TypedArrayTag(value);
    const made = copy(value.buffer);
    return tag === undefined
      ? new DataView(made, value.byteOffset, value.byteLength)
      : new globals[tag](made, value.byteOffset, value.length);
  }

  function error(value, copy) {
    const name = ERRORS.includes(value.name) ? value.name : "Error";
    const made = new globals[name](String(value.message));
    Object.defineProperty(made, "stack", { value: String(ErrorStack(value) ?? ""), writable: true, configurable: true });
    if (Object.hasOwn(value, "cause")) {
      Object.defineProperty(made, "cause", { value: copy(value.cause), writable: true, configurable: true });
    }
    return made;
  }

  const KINDS = {
    __proto__: null,
    "[object Date]": (value) => new Date(value.getTime()),
    "[object RegExp]": (value) => new RegExp(value.source, value.flags),
    "[object Boolean]": (value) => Object(value.valueOf()),
    "[object Number]": (value) => Object(value.valueOf()),
    "[object String]": (value) => Object(value.valueOf()),
    "[object BigInt]": (value) => Object(value.valueOf()),
    "[object ArrayBuffer]": buffer,
    "[object DataView]": view,
  };
  const NEVER = new Set(["[object Promise]", "[object WeakMap]", "[object WeakSet]", "[object WeakRef]",
    "[object Symbol]", "[object Generator]", "[object AsyncGenerator]"]);

  function structuredClone(value, { transfer = [] } = {}) {
    const seen = new Map();
    for (const one of transfer) {
      if (!(one instanceof ArrayBuffer)) refuse("what is not an ArrayBuffer");
      seen.set(one, one.transfer());
    }

    function copy(one) {
      if (typeof one === "function" || typeof one === "symbol") refuse(String(one));
      if (typeof one !== "object" || one === null) return one;
      if (seen.has(one)) return seen.get(one);
      if (textOf(one) !== undefined) refuse(String(one));
      const kind = ObjectToString(one);
      if (NEVER.has(kind)) refuse(kind);
      const make = TypedArrayTag(one) !== undefined ? view : ErrorIsError(one) ? error : KINDS[kind];
      if (make) {
        const made = make(one, copy);
        seen.set(one, made);
        return made;
      }
      return container(one, kind);
    }

    function container(one, kind) {
      if (kind === "[object Map]") {
        const made = new Map();
        seen.set(one, made);
        for (const [key, inner] of [...one]) made.set(copy(key), copy(inner));
        return made;
      }
      if (kind === "[object Set]") {
        const made = new Set();
        seen.set(one, made);
        for (const inner of [...one]) made.add(copy(inner));
        return made;
      }
      const made = Array.isArray(one) ? new Array(one.length) : {};
      seen.set(one, made);
      for (const key of Object.keys(one)) {
        Object.defineProperty(made, key, { value: copy(one[key]), writable: true, enumerable: true, configurable: true });
      }
      return made;
    }

    return copy(value);
  }

  return { structuredClone };
})
