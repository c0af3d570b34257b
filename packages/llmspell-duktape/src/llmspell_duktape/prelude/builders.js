// Builders: collect in the engine what a method of the host makes something of.
(function (use) {
  "use strict";
  var p = use("primordials");
  var states = use("states");
  var errors = use("errors");
  var proxies = use("proxies");
  var snake = use("spelling").snake;
  var M = use("calls");
  var has = p.ObjectHasOwn;

  function oneOrList(args) {
    if (args.length === 1) return args[0];
    return args.length === 0 ? true : args;
  }

  function isTable(value) {
    return typeof value === "object" && value !== null && !p.ArrayIsArray(value);
  }

  function copy(into, from) {
    var keys = p.ObjectKeys(from);
    for (var i = 0; i < keys.length; i++) into[keys[i]] = from[keys[i]];
    return into;
  }

  var OPERATIONS = {
    set: function (data, field, args) { data[field] = oneOrList(args); },
    append: function (data, field, args) {
      var before = data[field];
      // A new list: the script may still hold the one it gave.
      var list = p.ArrayIsArray(before) ? p.ArraySlice(before) : before === undefined ? [] : [before];
      list[list.length] = oneOrList(args);
      data[field] = list;
    },
    put: function (data, field, args) {
      var table = copy(p.ObjectCreate(null), isTable(data[field]) ? data[field] : {});
      table[args[0]] = args[1];
      data[field] = table;
    },
  };

  function setter(state, operation, field) {
    if (p.StringIndexOf(operation, "flag:") === 0) {
      var value = p.StringSlice(operation, 5);
      return function () {
        state.data[field] = value;
        return state.proxy;
      };
    }
    var apply = OPERATIONS[operation];
    return function () {
      apply(state.data, field, p.list(arguments));
      return state.proxy;
    };
  }

  function member(state, key) {
    var declared = state.declared, setters = declared.setters || {}, name = snake(key);
    var spec = proxies.lookUp(setters, key);
    if (spec) return setter(state, spec[0], spec[1]);
    var finish = declared.finish || {};
    var method = name === "build" ? declared.build : has(finish, name) ? finish[name] : undefined;
    if (method) return function () { return M.call(state.target, method, [state.data]); };
    if (key === "toString") return function () { return state.text(); };
    if (key === "then" || key === "toJSON") return undefined;
    var inherited = p.ObjectPrototype[key];
    if (inherited !== undefined) return inherited;
    var known = p.ObjectKeys(setters);
    known[known.length] = "build";
    return errors.fail("input.invalid", state.name + ' has no setter "' + key + '"',
      errors.nearest(name, known));
  }

  function find(state, key) {
    if (state.bound[key] === undefined) state.bound[key] = member(state, key);
    return state.bound[key];
  }

  // `Agent.builder()`: collects; `build()` and the finishing methods call the host.
  function create(target, name, declared, args) {
    var data = p.ObjectCreate(null);
    for (var i = 0; i < args.length; i++) {
      var given = args[i];
      if (typeof given === "string") data.name = given;
      else if (isTable(given) && states.of(given) === null) copy(data, given);
    }
    var state = {
      target: target, name: name, data: data, declared: declared, bound: p.ObjectCreate(null),
      proxy: null,
      encode: function () { return { instead: state.data }; },
      text: function () { return "builder(" + name + ")"; },
    };
    var front = p.ObjectFreeze(p.ObjectCreate(p.ObjectPrototype));
    state.proxy = new p.ProxyC(front, proxies.handler(state, find));
    return state.proxy;
  }

  return { create: create };
})
