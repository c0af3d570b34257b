// Error objects. What the host raises becomes an `LLMSpellError`: an Error with code, hint,
// details, retryable and source. What the script throws itself stays what it is until it leaves
// the script (`describe`).
(function (use) {
  "use strict";
  var p = use("primordials");
  var stacks = use("stacks");

  // Where the last value that is no Error was thrown: it does not say so itself.
  var thrown = { value: undefined, stack: "" };
  var M = { exhausted: false };        // whether memory has run out at least once

  function LLMSpellError() {
    throw new p.TypeErrorC("errors of the host are not made by scripts");
  }
  var prototype = p.ObjectCreate(p.ErrorPrototype, {
    constructor: { value: LLMSpellError },
    name: { value: "LLMSpellError" },
    toString: {
      value: function () {
        var source = this.source, message = p.StringC(this.message);
        return source === undefined ? message : source + ": " + message;
      },
    },
  });
  LLMSpellError.prototype = prototype;
  p.ObjectFreeze(prototype);
  p.ObjectFreeze(LLMSpellError);

  function is(e) {
    return typeof e === "object" && e !== null && p.ObjectGetPrototypeOf(e) === prototype;
  }

  // Whether the engine keeps a stack for this object.
  function isNative(e) {
    if (typeof e !== "object" || e === null) return false;
    if (p.ObjectToString(e) === "[object Error]") return true;
    for (var i = 0; e !== null && i < 50; i++) {
      if (e === p.ErrorPrototype) return true;
      e = p.ObjectGetPrototypeOf(e);
    }
    return false;
  }

  // Called for every value that is thrown.
  p.onThrow(function (e) {
    try {
      if (!isNative(e)) {
        thrown.stack = stacks.stack();
        thrown.value = e;
      } else {
        var message = p.ObjectGetOwnPropertyDescriptor(e, "message");
        if (message && message.value === "alloc failed") M.exhausted = true;
      }
    } catch (again) {}
    return e;
  });

  var FIELDS = ["message", "code", "hint", "details", "retryable", "source"];

  // An error object of these fields; it points to the line of the script that is running.
  // An error that is only data was thrown nowhere in the script: it gets no place.
  function make(fields, isData) {
    var e = p.ObjectCreate(prototype);
    var stack = typeof fields.stack === "string" ? fields.stack : stacks.stack();
    for (var i = 0; i < FIELDS.length; i++) {
      var key = FIELDS[i], value = fields[key];
      if (!isData && key === "source" && typeof value !== "string") value = stacks.placeOf(stack);
      if (value === undefined || value === null) continue;
      p.ObjectDefineProperty(e, key,
        { value: value, enumerable: true, writable: true, configurable: true });
    }
    p.ObjectDefineProperty(e, "stack", { value: stack, writable: true, configurable: true });
    return e;
  }

  function fail(code, message, hint) {
    throw make({ code: code, message: message, hint: hint, retryable: false });
  }

  // describing ------------------------------------------------------------------------------------

  function text(value) { return typeof value === "string" ? value : undefined; }

  function primitive(value) {
    return typeof value === "symbol" ? p.SymbolToString(value) : p.StringC(value);
  }

  function unnamed(e) {
    try {
      var found = p.JSONStringify(e);
      if (typeof found === "string") return found;
    } catch (again) {}
    return "an object was thrown";
  }

  function stackOf(e) {
    if (is(e)) return text(e.stack) || "";
    if (isNative(e)) return stacks.cleaned(p.ErrorStack(e));
    return thrown.value === e ? thrown.stack : "";
  }

  function message(e, native) {
    var found = text(e.message);
    if (found === undefined) found = native ? "" : unnamed(e);
    var name = native && !is(e) ? text(e.name) : undefined;
    if (name === undefined || name === "" || name === "Error") return found;
    return found === "" ? name : name + ": " + found;
  }

  // Named by a script for other engines, and simply not there in this one.
  function hintFor(e) {
    var found = e.name === "ReferenceError"
      && p.RegExpExec(/^identifier '(\w+)' undefined$/, p.StringC(e.message));
    return found ? use("syntax").hintForName(found[1]) : undefined;
  }

  // The fields that leave the script. Reads properties, so it may run code of the script.
  function describe(e) {
    var stack = stackOf(e);
    var fields = {
      message: "a function was thrown", code: "script.error", retryable: false,
      source: stacks.placeOf(stack), stack: stack === "" ? undefined : stack,
    };
    if (typeof e !== "object" || e === null) {
      if (typeof e !== "function") fields.message = primitive(e);
      return fields;
    }
    var native = isNative(e), details = e.details;
    fields.message = message(e, native);
    fields.code = text(e.code) || (memory(e) ? "script.memory_limit" : fields.code);
    fields.hint = text(e.hint) || (native && !is(e) ? hintFor(e) : undefined);
    fields.details = typeof details === "object" && details !== null ? details : undefined;
    fields.retryable = e.retryable === true;
    fields.source = text(e.source) || fields.source;
    return fields;
  }

  // Where there is not even memory for the error, the engine has one that is made beforehand.
  function memory(e) {
    var message = text(e.message);
    return (M.exhausted && message === "alloc failed")
      || (message === "error in error handling" && text(e.name) === "DoubleError");
  }

  // The fields as JSON text, whatever they hold: bad details must not hide the error.
  function toJson(e) {
    var fields;
    try {
      fields = describe(e);
      if (fields.details) return use("encode").stringify(fields, "", false);
    } catch (again) {
      fields = fields || { message: "an error that cannot be described", code: "script.error" };
      fields.details = undefined;
    }
    return p.JSONStringify(fields);
  }

  M.checkOptions = function (given, known, what) {
    return use("options_check").checkOptions(given, known, what);
  };
  M.nearest = function (name, known) { return use("options_check").nearest(name, known); };
  // A value that was thrown is not kept longer than a turn.
  M.forgetThrown = function () { thrown.value = undefined; };
  M.describe = describe;
  M.fail = fail;
  M.is = is;
  M.isNative = isNative;
  M.make = make;
  M.toJson = toJson;
  return M;
})
