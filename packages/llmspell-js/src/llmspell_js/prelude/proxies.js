// Host objects in the script's hands: proxies in front of a handle.
//
// Scripts cannot change them. Their fields are own properties, their methods are bound to them:
// `a.execute(x)` and `const f = a.execute; f(x)` are the same call.
(function (use) {
  "use strict";
  const {
    ArrayIsArray, FinalizationRegister, FinalizationRegistryC, JSONParse, MapC, MapDelete, MapGet,
    MapSet, ObjectAssign, ObjectHasOwn, ObjectKeys, ObjectPrototype, ProxyC,
    ReflectApply, ReflectGet, StringC, SymbolAsyncIterator, SymbolToStringTag, TypeErrorC, WeakMapC,
    WeakMapGet, WeakMapSet, WeakRefC, WeakRefDeref, bare, put,
  } = use("primordials");
  const { call, emit, wire } = use("calls");
  const { markers, revive } = use("decode");
  const { kind } = use("encode");
  const { snake } = use("spelling");

  const unread = new MapC();           // globals whose declarations are still text
  const types = { __proto__: null };   // declarations of host objects by type name
  const byTarget = new WeakMapC();     // target of a proxy -> its state
  const states = new WeakMapC();       // proxy -> its state
  const proxies = new MapC();          // handle -> weak reference to its proxy
  const UNKNOWN = { __proto__: null, methods: { __proto__: null }, builders: { __proto__: null } };

  // Handles that the script has lost, once for each time they arrived.
  const lost = new FinalizationRegistryC((held) => {
    const found = MapGet(proxies, held.handle);
    if (found && WeakRefDeref(found) === undefined) MapDelete(proxies, held.handle);
    for (let i = 0; i < held.received; i++) emit("D\t" + held.handle);
  });

  const own = (fields, key) => (ObjectHasOwn(fields, key) ? fields[key] : undefined);
  const table = (plain) => ObjectAssign({ __proto__: null }, plain);

  // The declaration of a global, read when first needed: a start reads none.
  function read(head) {
    if (head.text === undefined) return head;
    const full = bare(JSONParse(head.text));
    head.text = undefined;
    MapDelete(unread, head);
    head.methods = table(full.methods);
    head.guest = table(full.guest);
    head.hidden = table(full.hidden);
    head.builders = table(full.builders);
    head.values = full.values;
    const names = ObjectKeys(full.objects ?? {});
    for (let i = 0; i < names.length; i++) {
      const one = full.objects[names[i]];
      types[names[i]] = {
        __proto__: null, methods: table(one.methods), builders: table(one.builders), iterate: one.iterate,
      };
    }
    return head;
  }

  function typeOf(name) {
    if (types[name] === undefined) use("globals").readAll();
    return types[name];
  }

  // A method by any of its names, in both spellings.
  function methodName(declared, key) {
    return declared.methods[key] ?? declared.methods[snake(key)];
  }

  function readOnly(target) {
    const state = WeakMapGet(byTarget, target);
    throw new TypeErrorC(state.text() + " is read-only");
  }

  // Traps that every front of ours has.
  const GUARD = {
    __proto__: null, set: readOnly, defineProperty: readOnly, deleteProperty: readOnly,
    setPrototypeOf: readOnly, preventExtensions: readOnly,
  };

  // What a host object has beside its fields; made when it is asked for. A method keeps its object,
  // so it must not be kept with the object's state: neither would ever be freed.
  function member(state, key, object) {
    const { declared, target } = state;
    const name = methodName(declared, key);
    if (name !== undefined) return (...args) => call(target, name, args, object);
    const builder = declared.builders[key] ?? declared.builders[snake(key)];
    if (builder) {
      const text = state.type + "." + key;
      return (...args) => use("builders").create(target, text, builder, args, object);
    }
    const other = snake(key);
    if (ObjectHasOwn(state.fields, other)) return state.fields[other];
    if (key === "toString") return () => state.text();
    return ReflectGet(ObjectPrototype, key);
  }

  function iterate(state, object) {
    const { declared, target } = state;
    return () => ({
      async next() {
        const value = await call(target, declared.iterate, [], object);
        return { value: value ?? undefined, done: value === null };
      },
      async return(value) {
        if (declared.methods.close) await call(target, "close", [], object);
        return { value, done: true };
      },
      [SymbolAsyncIterator]() { return this; },
    });
  }

  const HANDLER = {
    __proto__: GUARD,
    get(target, key, object) {
      const state = WeakMapGet(byTarget, target);
      if (typeof key === "symbol") {
        if (key === SymbolToStringTag) return state.type;
        return key === SymbolAsyncIterator && state.declared.iterate ? iterate(state, object) : undefined;
      }
      if (ObjectHasOwn(state.fields, key)) return state.fields[key];
      return key === "then" ? undefined : member(state, key, object);
    },
    has: (target, key) => HANDLER.get(target, key, undefined) !== undefined,
    ownKeys: (target) => ObjectKeys(WeakMapGet(byTarget, target).fields),
    getOwnPropertyDescriptor(target, key) {
      const { fields } = WeakMapGet(byTarget, target);
      if (typeof key !== "string" || !ObjectHasOwn(fields, key)) return undefined;
      return { __proto__: null, value: fields[key], enumerable: true, configurable: true, writable: false };
    },
    apply(target) {
      const state = WeakMapGet(byTarget, target);
      if (state.missing) state.missing();
      throw new TypeErrorC(state.text() + " is not a function");
    },
  };

  // A front for this handle or `Global["name"]`; `missing` tells that it is no method either.
  function create(target, type, fields, missing) {
    const state = {
      __proto__: null,
      target: typeof target === "number" ? StringC(target) : wire(target),
      type, fields, missing, declared: typeOf(type) ?? UNKNOWN,
      text: () => type + "(" + (StringC(own(state.fields, "name") ?? own(state.fields, "id") ?? "?")) + ")",
    };
    const front = missing ? ReflectApply(callable, undefined, []) : {};
    WeakMapSet(byTarget, front, state);
    const proxy = new ProxyC(front, HANDLER);
    WeakMapSet(states, proxy, state);
    const sent = '{"$h":' + state.target + "}";
    kind(proxy, (_, channel) => (channel ? sent : { __proto__: null, instead: state.fields }));
    return proxy;
  }

  // An arrow function has no property that a proxy of it would have to show.
  function callable() {
    const fn = () => undefined;
    delete fn.name;
    delete fn.length;
    return fn;
  }

  markers.$h = (data) => {
    const handle = data[0], type = data[1], fields = revive(data[2] ?? {});
    const known = MapGet(proxies, handle);
    const before = known && WeakRefDeref(known);
    if (before) {
      const state = WeakMapGet(states, before);
      state.held.received++;
      state.fields = fields;
      return before;
    }
    if (!ObjectHasOwn(fields, "type")) put(fields, "type", type);
    const proxy = create(handle, type, fields);
    const held = { handle, received: 1 };
    WeakMapGet(states, proxy).held = held;
    MapSet(proxies, handle, new WeakRefC(proxy));
    FinalizationRegister(lost, proxy, held);
    return proxy;
  };

  return {
    GUARD, byTarget, callable, create, methodName, read, states, unread,
    // Whether something is shown by its own text rather than by its fields.
    textOf(value) {
      const state = WeakMapGet(states, value);
      return state && !ArrayIsArray(value) ? state.text() : undefined;
    },
  };
})
