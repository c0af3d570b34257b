// What the prelude needs of the language, taken before any script could change it.
//
// Methods are taken as functions whose first argument is the receiver: `StringSlice(text, 1)`.
(function () {
  "use strict";
  var apply = Reflect.apply, bind = Function.prototype.bind, call = Function.prototype.call;
  function uncurry(method) { return apply(bind, call, [method]); }
  function getter(owner, name) {
    return uncurry(Object.getOwnPropertyDescriptor(owner, name).get);
  }
  var D = Duktape, enc = D.enc, dec = D.dec, stringify = JSON.stringify;
  var Thread = D.Thread, now = performance.now, clock = performance;
  var charCodeAt = uncurry(String.prototype.charCodeAt);
  var setPrototypeOf = Object.setPrototypeOf, ArrayPrototype = Array.prototype;
  var substring = uncurry(String.prototype.substring);

  var p = {
    ReflectApply: apply,
    ReflectOwnKeys: Reflect.ownKeys,
    ObjectC: Object,
    ObjectPrototype: Object.prototype,
    ObjectCreate: Object.create,
    ObjectDefineProperty: Object.defineProperty,
    ObjectFreeze: Object.freeze,
    ObjectGetOwnPropertyDescriptor: Object.getOwnPropertyDescriptor,
    ObjectGetPrototypeOf: Object.getPrototypeOf,
    ObjectKeys: Object.keys,
    ObjectSetPrototypeOf: setPrototypeOf,
    ObjectHasOwn: uncurry(Object.prototype.hasOwnProperty),
    ObjectToString: uncurry(Object.prototype.toString),
    ArrayC: Array,
    ArrayIsArray: Array.isArray,
    ArrayJoin: uncurry(Array.prototype.join),
    ArraySlice: uncurry(Array.prototype.slice),
    ArraySort: uncurry(Array.prototype.sort),
    StringC: String,
    StringCharCodeAt: charCodeAt,
    StringFromCharCode: String.fromCharCode,
    StringIndexOf: uncurry(String.prototype.indexOf),
    StringLastIndexOf: uncurry(String.prototype.lastIndexOf),
    StringMatch: uncurry(String.prototype.match),
    StringRepeat: uncurry(String.prototype.repeat),
    StringReplace: uncurry(String.prototype.replace),
    StringSlice: uncurry(String.prototype.slice),
    StringSplit: uncurry(String.prototype.split),
    StringSubstring: substring,
    StringToLowerCase: uncurry(String.prototype.toLowerCase),
    NumberC: Number,
    NumberIsFinite: isFinite,
    NumberToFixed: uncurry(Number.prototype.toFixed),
    NumberValueOf: uncurry(Number.prototype.valueOf),
    StringValueOf: uncurry(String.prototype.valueOf),
    BooleanValueOf: uncurry(Boolean.prototype.valueOf),
    ParseInt: parseInt,
    MathFloor: Math.floor,
    MathMax: Math.max,
    MathMin: Math.min,
    MathRandom: Math.random,
    JSONParse: JSON.parse,
    JSONStringify: stringify,
    RegExpExec: uncurry(RegExp.prototype.exec),
    DateToISOString: uncurry(Date.prototype.toISOString),
    ErrorC: Error,
    ErrorPrototype: Error.prototype,
    ErrorStack: getter(Error.prototype, "stack"),
    TypeErrorC: TypeError,
    ProxyC: Proxy,
    SymbolC: Symbol,
    SymbolToString: uncurry(Symbol.prototype.toString),
    Uint8ArrayC: Uint8Array,
    ArrayBufferC: ArrayBuffer,
    encoder: new TextEncoder(),
    TextEncode: uncurry(TextEncoder.prototype.encode),
    globals: globalThis,
    evaluate: eval,              // under this name it is never a direct one

    // Duktape's own, which scripts do not have.
    act: D.act,
    gc: D.gc,
    info: D.info,
    base64: function (data) { return enc("base64", data); },
    unbase64: function (text) { return new Uint8Array(dec("base64", text)); },
    onThrow: function (handler) { D.errThrow = handler; },
    ThreadC: Thread,
    resume: Thread.resume,
    yieldOut: Thread["yield"],

    // A monotonic clock in milliseconds.
    now: function () { return apply(now, clock, []); },

    // A list of the prelude's own: a script may have put setters on the prototype of arrays.
    array: function () { return setPrototypeOf([], null); },

    // What was `array` so far as the script gets it.
    given: function (list) { return setPrototypeOf(list, ArrayPrototype); },

    list: function (args) {
      var list = setPrototypeOf([], null);
      for (var i = 0; i < args.length; i++) list[i] = args[i];
      return setPrototypeOf(list, ArrayPrototype);
    },

    // JSON text, or any other, in characters that cross as they are.
    ascii: function (text) {
      var out = "", from = 0, i = 0;
      for (; i < text.length; i++) {
        var code = charCodeAt(text, i);
        if (code > 126 || code === 0) {
          var hex = code.toString(16);
          out += substring(text, from, i) + "\\u" + "0000".slice(hex.length) + hex;
          from = i + 1;
        }
      }
      return out + substring(text, from);
    },
  };
  return p;
})
