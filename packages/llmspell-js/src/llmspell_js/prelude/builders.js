// Builders: collect in the engine what a method of the host makes something of.
(function (use) {
  "use strict";
  const {
    ArrayAppended, ArrayIsArray, ObjectAssign, ObjectHasOwn, ObjectKeys, ObjectPrototype,
    ProxyC, ReflectGet, StringIndexOf, StringSlice, SymbolToStringTag, WeakMapGet, WeakMapSet,
  } = use("primordials");
  const { call } = use("calls");
  const { kind } = use("encode");
  const { fail, nearest } = use("errors");
  const { GUARD, byTarget, states } = use("proxies");
  const { snake } = use("spelling");

  function oneOrList(args) {
    if (args.length === 1) return args[0];
    return args.length === 0 ? true : args;
  }

  const isTable = (value) => typeof value === "object" && value !== null && !ArrayIsArray(value);

  const OPERATIONS = {
    __proto__: null,
    set(data, field, args) { data[field] = oneOrList(args); },
    append(data, field, args) {
      const before = data[field];
      const list = ArrayIsArray(before) ? before : before === undefined ? [] : [before];
      // A new list: the script may still hold the one it gave.
      data[field] = ArrayAppended(list, oneOrList(args));
    },
    put(data, field, args) {
      data[field] = ObjectAssign({ __proto__: null }, isTable(data[field]) ? data[field] : undefined);
      data[field][args[0]] = args[1];
    },
  };

  const own = (plain, key) => (plain && ObjectHasOwn(plain, key) ? plain[key] : undefined);

  // `builder` is given, not kept: a builder that its own state held would never be freed.
  function setter(state, operation, field, builder) {
    if (StringIndexOf(operation, "flag:") === 0) {
      const value = StringSlice(operation, 5);
      return () => {
        state.data[field] = value;
        return builder;
      };
    }
    const apply = OPERATIONS[operation];
    return (...args) => {
      apply(state.data, field, args);
      return builder;
    };
  }

  function member(state, key, builder) {
    const { declared } = state;
    const name = snake(key);
    const spec = own(declared.setters, key) ?? own(declared.setters, name);
    if (spec) return setter(state, spec[0], spec[1], builder);
    const method = name === "build" ? declared.build : own(declared.finish, name);
    if (method) return () => call(state.target, method, [state.data]);
    if (key === "toString") return () => "builder(" + state.name + ")";
    const inherited = ReflectGet(ObjectPrototype, key);
    if (inherited !== undefined) return inherited;
    return fail("input.invalid", state.name + ' has no setter "' + key + '"',
      nearest(name, ObjectKeys({ __proto__: null, ...declared.setters, build: 1 })));
  }

  const HANDLER = {
    __proto__: GUARD,
    get(target, key, builder) {
      const state = WeakMapGet(byTarget, target);
      if (typeof key === "symbol") return key === SymbolToStringTag ? "builder" : undefined;
      if (key === "then" || key === "toJSON") return undefined;
      return member(state, key, builder);
    },
  };

  // `Agent.builder()`: collects; `build()` and the finishing methods call the host.
  function create(target, name, declared, args) {
    const data = { __proto__: null };
    for (let i = 0; i < args.length; i++) {
      const given = args[i];
      if (typeof given === "string") data.name = given;
      else if (isTable(given) && !WeakMapGet(states, given)) {
        ObjectAssign(data, given);
      }
    }
    const state = { __proto__: null, target, name, data, declared, text: () => "builder(" + name + ")" };
    const front = {};
    WeakMapSet(byTarget, front, state);
    const builder = new ProxyC(front, HANDLER);
    WeakMapSet(states, builder, state);
    kind(builder, () => ({ __proto__: null, instead: data }));
    return builder;
  }

  return { create };
})
