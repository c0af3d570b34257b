// The globals of the host: proxies in front of declarations that are read when first touched.
//
// A global that can be called (`Agent(cfg)`, `new Agent(cfg)`) is the method it stands for. One
// with an index (`Tool["name"]`) gives an object for any other name.
(function (use) {
  "use strict";
  var p = use("primordials");
  var errors = use("errors");
  var proxies = use("proxies");
  var snake = use("spelling").snake;
  var M = use("calls");
  var has = p.ObjectHasOwn;

  // Globals whose guest methods are in a file of their own.
  var FILES = p.ObjectCreate(null);
  FILES.Async = "async";
  FILES.Logger = "logger";
  FILES.Debug = "debug";
  var MOST_INDEXED = 256;

  function guestMethod(global, name) {
    var own = FILES[global] && use(FILES[global]);
    if (own && has(own, name)) return own[name];
    return function () { return M.native(global + "." + name, p.list(arguments)); };
  }

  function method(state, name) {
    var declared = state.declared, builder = declared.builders && declared.builders[name];
    if (builder) {
      return function () {
        return use("builders").create(
          state.target, declared.name + "." + name, builder, p.list(arguments));
      };
    }
    if (declared.values && has(declared.values, name)) return declared.values[name];
    if (declared.guest[name]) return guestMethod(declared.name, name);
    return function () { return M.call(state.target, name, p.list(arguments)); };
  }

  function member(state, name) {
    if (!has(state.members, name)) state.members[name] = method(state, name);
    return state.members[name];
  }

  // Reads the declaration; the names that listing shows become properties of the target.
  function expand(state) {
    if (state.names) return state;
    var declared = proxies.read(state.declared), names = state.names = p.ObjectCreate(null);
    function add(keys) {
      for (var i = 0; i < keys.length; i++) {
        if (!declared.hidden[keys[i]]) names[keys[i]] = true;
      }
    }
    add(p.ObjectKeys(declared.guest));
    add(p.ObjectKeys(declared.builders || {}));
    add(p.ObjectKeys(declared.values || {}));
    if (FILES[declared.name]) {
      var own = use(FILES[declared.name]), keys = p.ObjectKeys(own);
      for (var i = 0; i < keys.length; i++) {
        if (names[keys[i]] || has(declared.methods, keys[i])) continue;
        names[keys[i]] = true;
        state.members[keys[i]] = own[keys[i]];
      }
    }
    // With their values: the engine holds a proxy to what its frozen target has.
    var listed = p.ObjectKeys(names);
    for (var n = 0; n < listed.length; n++) {
      p.ObjectDefineProperty(state.front, listed[n],
        { value: member(state, listed[n]), enumerable: true });
    }
    p.ObjectFreeze(state.front);
    return state;
  }

  function indexed(state, key) {
    if (state.indexed[key]) return state.indexed[key];
    var declared = state.declared;
    function missing() {
      errors.fail("name.not_found", declared.name + ' has no method "' + key + '"',
        errors.nearest(key, p.ObjectKeys(state.names)));
    }
    var found = proxies.create(M.wire(declared.name + "\0" + key), declared.index,
      { id: key, name: key, type: declared.index }, missing).proxy;
    if (state.count++ >= MOST_INDEXED) {
      state.indexed = p.ObjectCreate(null);
      state.count = 1;
    }
    state.indexed[key] = found;
    return found;
  }

  function find(state, key) {
    expand(state);
    var declared = state.declared;
    if (state.names[key]) return member(state, key);
    var other = proxies.lookUp(declared.methods, key) || snake(key);
    if (state.names[other] || declared.hidden[other]) return member(state, other);
    if (key === "toString") return function () { return declared.name; };
    if (key === "hasOwnProperty") return proxies.owns(state.names);
    var inherited = p.ObjectPrototype[key];
    if (inherited !== undefined || key === "then" || key === "toJSON" || key === "prototype") {
      return inherited;
    }
    return declared.index ? indexed(state, key) : undefined;
  }

  function refused() { return { refused: "the global " + this.declared.name }; }

  function define(declared) {
    var state = {
      declared: declared, target: M.wire(declared.name), names: null, count: 0, front: null,
      members: p.ObjectCreate(null), indexed: p.ObjectCreate(null), encode: refused,
      text: function () { return declared.name; },
    };
    var traps = proxies.handler(state, find);
    traps.ownKeys = function () { return p.ObjectKeys(expand(state).front); };
    state.front = declared.call ? function () {} : p.ObjectCreate(p.ObjectPrototype);
    if (declared.call) {
      traps.apply = function (target, self, args) {
        return M.call(state.target, declared.call, args);
      };
      traps.construct = function (target, args) {
        return M.call(state.target, declared.call, args);
      };
    }
    var proxy = new p.ProxyC(state.front, traps);
    show(declared.name, proxy);
    for (var i = 0; i < (declared.aliases || []).length; i++) show(declared.aliases[i], proxy);
  }

  function show(name, value) {
    p.ObjectDefineProperty(p.globals, name,
      { value: value, writable: true, enumerable: true, configurable: true });
  }

  // Declares globals: `{name, aliases, call, index, text}` each, `text` the compact manifest.
  function declare(heads) {
    for (var i = 0; i < heads.length; i++) {
      if (heads[i].name === "JSON") continue;
      proxies.unread[proxies.unread.length] = heads[i];
      define(heads[i]);
    }
  }

  // A global of the prelude's own that no manifest declared.
  function defineNative(name) {
    if (has(p.globals, name)) return;
    define({ name: name, methods: {}, guest: {}, hidden: {}, builders: {} });
  }

  return {
    declare: declare, defineNative: defineNative, show: show,
    answers: function (global, name) {
      if (global === "JSON") return has(JSON, name);
      return FILES[global] !== undefined && has(use(FILES[global]), name);
    },
  };
})
