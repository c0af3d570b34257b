// The globals of the host: proxies in front of declarations that are read when first touched.
//
// A global that can be called (`Agent(cfg)`, `new Agent(cfg)`) gives the same promise as the method
// it stands for. One with an index (`Tool["name"]`) gives an object for any other name.
(function (use) {
  "use strict";
  const {
    MapForEach, MapSet, ObjectDefineProperty, ObjectHasOwn, ObjectKeys, ObjectPrototype,
    ProxyC, ReflectGet, SymbolToStringTag, WeakMapGet, WeakMapSet, WeakRefC, WeakRefDeref, globals,
    put,
  } = use("primordials");
  const { call, wire } = use("calls");
  const { kind } = use("encode");
  const { fail, nearest } = use("errors");
  const { native } = use("natives");
  const { GUARD, byTarget, create, methodName, read, states, unread } = use("proxies");
  const { snake } = use("spelling");

  // Globals whose guest methods are in a file of their own.
  const FILES = { __proto__: null, Async: "async", Logger: "logger", Debug: "debug" };
  // Names that never stand for an object of an index.
  const RESERVED = { __proto__: null, then: true, toJSON: true, prototype: true };

  function guestMethod(global, name) {
    const file = FILES[global];
    const own = file && use(file);
    if (own && ObjectHasOwn(own, name)) return own[name];
    return (...args) => native(global + "." + name, args);
  }

  function method(state, name) {
    const { declared, target } = state;
    if (declared.guest[name]) return guestMethod(declared.name, name);
    return (...args) => call(target, name, args);
  }

  // A listed member: a method, a builder or a value.
  function listed(state, name) {
    const { declared } = state;
    if (ObjectHasOwn(state.members, name)) return state.members[name];
    let found;
    if (declared.builders[name]) {
      const text = declared.name + "." + name;
      found = (...args) => use("builders").create(state.target, text, declared.builders[name], args);
    } else if (declared.values && ObjectHasOwn(declared.values, name)) {
      found = declared.values[name];
    } else {
      found = method(state, name);
    }
    if (typeof found === "function") {
      ObjectDefineProperty(found, "name", { __proto__: null, value: name, configurable: true });
    }
    state.members[name] = found;
    return found;
  }

  // The names that listing shows, and whether a name is one of them.
  function namesOf(state) {
    if (state.names) return state.names;
    const { declared } = state;
    read(declared);
    const names = { __proto__: null };
    const add = (keys) => {
      for (let i = 0; i < keys.length; i++) {
        if (!declared.hidden[keys[i]]) names[keys[i]] = true;
      }
    };
    add(ObjectKeys(declared.guest));
    add(ObjectKeys(declared.builders));
    add(ObjectKeys(declared.values ?? {}));
    const file = FILES[declared.name];
    if (file) {
      const own = use(file), keys = ObjectKeys(own);
      for (let i = 0; i < keys.length; i++) {
        if (names[keys[i]] || declared.methods[keys[i]]) continue;
        names[keys[i]] = true;
        state.members[keys[i]] = own[keys[i]];
      }
    }
    state.names = names;
    return names;
  }

  function indexed(state, key) {
    const before = state.indexed[key];
    const known = before && WeakRefDeref(before);
    if (known) return known;
    const { declared } = state;
    const front = create(declared.name + "\0" + key, declared.index,
      { id: key, name: key, type: declared.index },
      () => fail("name.not_found", declared.name + ' has no method "' + key + '"',
        nearest(key, ObjectKeys(namesOf(state)))));
    state.indexed[key] = new WeakRefC(front);
    return front;
  }

  function find(state, key) {
    const names = namesOf(state), { declared } = state;
    if (names[key]) return listed(state, key);
    const other = methodName(declared, key) ?? snake(key);
    if (names[other] || declared.hidden[other]) return listed(state, other);
    if (key === "toString") return () => declared.name;
    return ReflectGet(ObjectPrototype, key);
  }

  const HANDLER = {
    __proto__: GUARD,
    get(target, key) {
      const state = WeakMapGet(byTarget, target);
      if (typeof key === "symbol") return key === SymbolToStringTag ? state.declared.name : undefined;
      const found = find(state, key);
      if (found !== undefined || RESERVED[key]) return found;
      return state.declared.index ? indexed(state, key) : undefined;
    },
    has: (target, key) => typeof key === "string" && find(WeakMapGet(byTarget, target), key) !== undefined,
    ownKeys: (target) => ObjectKeys(namesOf(WeakMapGet(byTarget, target))),
    getOwnPropertyDescriptor(target, key) {
      const state = WeakMapGet(byTarget, target);
      if (typeof key !== "string" || !namesOf(state)[key]) return undefined;
      return { __proto__: null, value: listed(state, key), enumerable: true, configurable: true, writable: false };
    },
    apply(target, _, args) {
      const state = WeakMapGet(byTarget, target);
      return call(state.target, state.declared.call, args);
    },
    construct(target, args) {
      return HANDLER.apply(target, undefined, args);
    },
  };

  // A function that can be constructed and shows no properties of its own.
  function constructible() {
    const fn = function () {}.bind();
    delete fn.name;
    delete fn.length;
    return fn;
  }

  function define(declared) {
    const front = declared.call ? constructible() : {};
    const state = {
      __proto__: null, declared, target: wire(declared.name), names: null, members: { __proto__: null },
      indexed: { __proto__: null }, text: () => declared.name,
    };
    WeakMapSet(byTarget, front, state);
    const proxy = new ProxyC(front, HANDLER);
    WeakMapSet(states, proxy, state);
    kind(proxy, () => ({ __proto__: null, refused: "the global " + declared.name }));
    show(declared.name, proxy);
    for (let i = 0; i < (declared.aliases ?? []).length; i++) show(declared.aliases[i], proxy);
  }

  function show(name, value) {
    put(globals, name, value);
  }

  // Declares globals: `{name, aliases, call, index, text}` each, `text` the compact manifest.
  function declare(heads) {
    for (let i = 0; i < heads.length; i++) MapSet(unread, heads[i], true);
    for (let i = 0; i < heads.length; i++) define(heads[i]);
  }

  // A global of the prelude's own that no manifest declared.
  function defineNative(name) {
    if (ObjectHasOwn(globals, name)) return;
    define({
      __proto__: null, name, methods: { __proto__: null }, guest: { __proto__: null }, hidden: { __proto__: null },
      builders: { __proto__: null },
    });
  }

  return {
    declare, defineNative, show,
    readAll: () => MapForEach(unread, (_, head) => read(head)),
    // Whether the prelude itself has this guest method.
    answers(global, name) {
      if (global === "JSON") return typeof globals.JSON[name] === "function";
      return FILES[global] !== undefined && ObjectHasOwn(use(FILES[global]), name);
    },
  };
})
