// What the prelude needs of the language, taken before any script could change it.
//
// Methods are taken as functions whose first argument is the receiver: `MapGet(map, key)`.
(function () {
  "use strict";
  const { apply, get, ownKeys } = Reflect;
  const bind = Function.prototype.bind, call = Function.prototype.call;
  const uncurry = (method) => apply(bind, call, [method]);
  const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf, setPrototypeOf } = Object;
  const { isArray } = Array;
  const getter = (owner, name) => uncurry(getOwnPropertyDescriptor(owner, name).get);
  const TypedArray = getPrototypeOf(Uint8Array);
  const PromiseC = Promise, resolve = Promise.resolve, reject = Promise.reject, then = uncurry(Promise.prototype.then);

  // A property like one that is assigned, whatever stands on the prototypes.
  function put(owner, name, value, enumerable = true) {
    return defineProperty(owner, name, { __proto__: null, value, writable: true, enumerable, configurable: true });
  }

  // Data of ours without a prototype: what is absent in it is absent, whatever a script does.
  function bare(value) {
    if (typeof value !== "object" || value === null) return value;
    const names = ownKeys(value);
    for (let i = 0; i < names.length; i++) bare(value[names[i]]);
    return isArray(value) ? value : setPrototypeOf(value, null);
  }

  // A promise of ours of what a value comes to. One of the language is not asked for its `then`,
  // and what its constructor would make of the answer is not taken: both may be the script's.
  function adopt(value) {
    return new PromiseC((settle, fail) => {
      try {
        then(value, settle, fail);
      } catch {
        settle(value);
      }
    });
  }

  return {
    __proto__: null,
    adopt,
    bare,
    put,
    uncurry,
    ReflectApply: apply,
    ReflectGet: get,
    ReflectOwnKeys: ownKeys,
    ReflectConstruct: Reflect.construct,

    ObjectC: Object,
    ObjectPrototype: Object.prototype,
    ObjectAssign: Object.assign,
    ObjectCreate: Object.create,
    ObjectDefineProperty: defineProperty,
    ObjectFreeze: Object.freeze,
    ObjectGetOwnPropertyDescriptor: getOwnPropertyDescriptor,
    ObjectGetPrototypeOf: getPrototypeOf,
    ObjectHasOwn: Object.hasOwn,
    ObjectKeys: Object.keys,
    ObjectSetPrototypeOf: setPrototypeOf,
    ObjectToString: uncurry(Object.prototype.toString),

    // A copy of a list with one value more, whatever stands on Array.prototype.
    ArrayAppended(list, value) {
      const longer = new Array(list.length + 1);
      for (let i = 0; i <= list.length; i++) {
        put(longer, i, i < list.length ? list[i] : value);
      }
      return longer;
    },
    ArrayIsArray: isArray,
    ArrayJoin: uncurry(Array.prototype.join),
    ArraySlice: uncurry(Array.prototype.slice),
    ArraySort: uncurry(Array.prototype.sort),

    StringC: String,
    StringCharCodeAt: uncurry(String.prototype.charCodeAt),
    StringCodePointAt: uncurry(String.prototype.codePointAt),
    StringFromCharCode: String.fromCharCode,
    StringFromCodePoint: String.fromCodePoint,
    StringIndexOf: uncurry(String.prototype.indexOf),
    StringLastIndexOf: uncurry(String.prototype.lastIndexOf),
    StringNormalize: uncurry(String.prototype.normalize),
    StringRepeat: uncurry(String.prototype.repeat),
    StringSlice: uncurry(String.prototype.slice),
    StringSplit: uncurry(String.prototype.split),
    StringStartsWith: uncurry(String.prototype.startsWith),
    StringEndsWith: uncurry(String.prototype.endsWith),
    StringToLowerCase: uncurry(String.prototype.toLowerCase),
    StringTrim: uncurry(String.prototype.trim),

    NumberC: Number,
    NumberIsFinite: Number.isFinite,
    NumberIsInteger: Number.isInteger,
    NumberToString: uncurry(Number.prototype.toString),
    NumberParseInt: parseInt,
    MathFloor: Math.floor,
    MathMax: Math.max,
    MathMin: Math.min,
    MathPow: Math.pow,
    MathRandom: Math.random,

    JSONParse: JSON.parse,
    JSONStringify: JSON.stringify,

    MapC: Map,
    MapGet: uncurry(Map.prototype.get),
    MapSet: uncurry(Map.prototype.set),
    MapHas: uncurry(Map.prototype.has),
    MapDelete: uncurry(Map.prototype.delete),
    MapForEach: uncurry(Map.prototype.forEach),
    MapSize: getter(Map.prototype, "size"),
    SetC: Set,
    SetAdd: uncurry(Set.prototype.add),
    SetForEach: uncurry(Set.prototype.forEach),
    SetSize: getter(Set.prototype, "size"),
    WeakMapC: WeakMap,
    WeakMapGet: uncurry(WeakMap.prototype.get),
    WeakMapSet: uncurry(WeakMap.prototype.set),
    WeakMapHas: uncurry(WeakMap.prototype.has),
    WeakSetHas: uncurry(WeakSet.prototype.has),
    WeakRefC: WeakRef,
    WeakRefDeref: uncurry(WeakRef.prototype.deref),
    FinalizationRegistryC: FinalizationRegistry,
    FinalizationRegister: uncurry(FinalizationRegistry.prototype.register),

    PromiseC,
    PromisePrototype: Promise.prototype,
    PromiseThen: then,
    PromiseResolve: (value) => apply(resolve, PromiseC, [value]),
    PromiseReject: (error) => apply(reject, PromiseC, [error]),
    ProxyC: Proxy,

    ErrorC: Error,
    ErrorIsError: Error.isError,
    ErrorStack: getter(Error.prototype, "stack"),
    ErrorToString: uncurry(Error.prototype.toString),
    RangeErrorC: RangeError,
    SyntaxErrorC: SyntaxError,
    TypeErrorC: TypeError,
    InternalErrorPrototype: InternalError.prototype,
    DOMExceptionC: DOMException,

    now: performance.now.bind(performance),
    DateC: Date,
    DateGetTime: uncurry(Date.prototype.getTime),
    DateNow: Date.now,
    DateToISOString: uncurry(Date.prototype.toISOString),
    RegExpC: RegExp,
    RegExpExec: uncurry(RegExp.prototype.exec),
    RegExpSource: getter(RegExp.prototype, "source"),
    RegExpFlags: getter(RegExp.prototype, "flags"),
    FunctionToString: uncurry(Function.prototype.toString),
    NumberValueOf: uncurry(Number.prototype.valueOf),
    StringValueOf: uncurry(String.prototype.valueOf),
    BooleanValueOf: uncurry(Boolean.prototype.valueOf),
    BigIntC: BigInt,
    BigIntValueOf: uncurry(BigInt.prototype.valueOf),
    BigIntToString: uncurry(BigInt.prototype.toString),
    SymbolDescription: getter(Symbol.prototype, "description"),
    SymbolAsyncIterator: Symbol.asyncIterator,
    SymbolIterator: Symbol.iterator,
    SymbolSpecies: Symbol.species,
    SymbolToStringTag: Symbol.toStringTag,

    ArrayBufferC: ArrayBuffer,
    ArrayBufferByteLength: getter(ArrayBuffer.prototype, "byteLength"),
    ArrayBufferSlice: uncurry(ArrayBuffer.prototype.slice),
    DataViewC: DataView,
    DataViewBuffer: getter(DataView.prototype, "buffer"),
    DataViewByteLength: getter(DataView.prototype, "byteLength"),
    DataViewByteOffset: getter(DataView.prototype, "byteOffset"),
    Uint8ArrayC: Uint8Array,
    Uint8ArrayFromBase64: Uint8Array.fromBase64.bind(Uint8Array),
    Uint8ArrayToBase64: uncurry(Uint8Array.prototype.toBase64),
    TypedArrayBuffer: getter(TypedArray.prototype, "buffer"),
    TypedArrayByteLength: getter(TypedArray.prototype, "byteLength"),
    TypedArrayByteOffset: getter(TypedArray.prototype, "byteOffset"),
    TypedArrayLength: getter(TypedArray.prototype, "length"),
    TypedArraySet: uncurry(TypedArray.prototype.set),
    TypedArrayTag: getter(TypedArray.prototype, Symbol.toStringTag),

    // Constructors by name, for copies of what a script made with them.
    globals: globalThis,
    evaluate: eval,
    atob,
    btoa,
  };
})
