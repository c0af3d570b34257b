// Host objects in the script's hands: proxies in front of a handle. Scripts cannot change them, and
// their methods are bound: `var f = a.execute` is the same call.
(function (use) {
  "use strict";
  var p = use("primordials");
  var states = use("states");
  var errors = use("errors");
  var decoding = use("decode");
  var snake = use("spelling").snake;
  var M = use("calls");
  var has = p.ObjectHasOwn;

  var UNKNOWN = { methods: p.ObjectCreate(null), builders: p.ObjectCreate(null) };
  var types = p.ObjectCreate(null);    // declarations of host objects by type name
  var unread = p.array();                 // globals whose declarations are still text

  // handle -> its proxy and state, so that one handle is one object. The engine has no weak
  // references, and its finalizers fail within threads: the root asks from time to time how many
  // references there are to each, and drops those that only this table has.
  var objects = p.ObjectCreate(null), count = 0, most = 256;
  var lost = "";

  function readOnly() { throw new p.TypeErrorC("it is read-only"); }

  // Reads the declaration of a global when it is first needed: a start reads none.
  function read(head) {
    if (typeof head.text !== "string") return head;
    var full = p.JSONParse(head.text), keys = p.ObjectKeys(full), i;
    head.text = null;
    for (i = 0; i < keys.length; i++) head[keys[i]] = full[keys[i]];
    var objects = head.objects || {};
    keys = p.ObjectKeys(objects);
    for (i = 0; i < keys.length; i++) types[keys[i]] = objects[keys[i]];
    return head;
  }

  function typeOf(name) {
    while (!types[name] && unread.length > 0) {
      read(unread[unread.length - 1]);
      unread.length--;
    }
    return types[name] || UNKNOWN;
  }

  function lookUp(table, key) {
    if (!table) return undefined;
    if (has(table, key)) return table[key];
    var other = snake(key);
    return other !== key && has(table, other) ? table[other] : undefined;
  }

  function bound(target, name) {
    return function () { return M.call(target, name, p.list(arguments)); };
  }

  // `forEach(fn)` of what gives one thing after the other; a function that throws ends it, as `close`.
  function each(state) {
    var close = lookUp(state.declared.methods, "close");
    return function (fn) {
      if (typeof fn !== "function") errors.fail("input.invalid", "forEach takes a function");
      for (var i = 0; ; i++) {
        var item = M.call(state.target, state.declared.iterate, []);
        if (item === null || item === undefined) return;
        try {
          fn(item, i);
        } catch (error) {
          if (close !== undefined) M.call(state.target, close, []);
          throw error;
        }
      }
    };
  }

  // What a host object has beside its fields; made when it is asked for.
  function member(state, key) {
    var declared = state.declared, name = lookUp(declared.methods, key);
    if (name !== undefined) return bound(state.target, name);
    var builder = lookUp(declared.builders, key);
    if (builder) {
      return function () {
        return use("builders").create(state.target, state.type + "." + key, builder, p.list(arguments));
      };
    }
    if (has(state.fields, snake(key))) return state.fields[snake(key)];
    if (key === "toString") return function () { return state.text(); };
    if (key === "hasOwnProperty") return owns(state.fields);
    if (declared.iterate && (key === "next" || key === "forEach")) {
      return key === "next" ? bound(state.target, declared.iterate) : each(state);
    }
    return p.ObjectPrototype[key];
  }

  // For the fronts of the prelude: `find(state, key)` gives what a string key stands for. Made apart
  // from the front, which would else hold itself and wait for the collector.
  function handler(state, find) {
    return {
      get: function (target, key) {
        if (key === states.KEY) return states.tell(state);
        return typeof key === "string" ? find(state, key) : undefined;
      },
      has: function (target, key) {
        return typeof key === "string" && find(state, key) !== undefined;
      },
      set: readOnly, deleteProperty: readOnly,
    };
  }

  // The engine's own does not see what a proxy has.
  function owns(table) {
    return function (key) { return has(table, p.StringC(key)); };
  }

  function find(state, key) {
    if (has(state.fields, key)) return state.fields[key];
    if (key === "then") return undefined;
    var found = state.bound[key];
    if (found === undefined) {
      found = member(state, key);
      if (typeof found === "function") state.bound[key] = found;
    }
    return found;
  }

  function encoded(channel) {
    return channel ? '{"$h":' + this.target + "}" : { instead: this.fields };
  }

  function text() {
    var fields = this.fields;
    return this.type + "(" + p.StringC(fields.name || fields.id || "?") + ")";
  }

  // A front for this target, as it is sent. `missing`, for a name of an index, tells that it is no
  // method either: only a proxy of a function can be called.
  function create(target, type, fields, missing) {
    var state = {
      target: target, type: type, fields: fields, declared: typeOf(type), received: 1,
      bound: p.ObjectCreate(null), encode: encoded, text: text,
    };
    var traps = handler(state, find);
    var front = missing ? function () {} : p.ObjectCreate(p.ObjectPrototype);
    list(front, fields);
    if (missing) traps.apply = traps.construct = missing;
    return { proxy: new p.ProxyC(front, traps), state: state, front: front };
  }

  // The engine lists what the target itself has.
  function list(front, fields) {
    var keys = p.ObjectKeys(fields);
    for (var i = 0; i < keys.length; i++) {
      p.ObjectDefineProperty(front, keys[i],
        { value: fields[keys[i]], enumerable: true, configurable: true });
    }
  }

  function references(value) { return p.info(value).refc; }

  // One front and one method that nobody else has, to compare with.
  var alone = create("0", "none", p.ObjectCreate(null), null);
  alone.state.bound.method = bound("0", "method");
  var ALONE = references(alone.proxy), METHOD_ALONE = references(alone.state.bound.method);

  // Whether the script can still reach an object, or one of its methods.
  function isHeld(entry) {
    if (references(entry.proxy) > ALONE) return true;
    var methods = entry.state.bound;
    for (var key in methods) {
      if (typeof methods[key] === "function" && references(methods[key]) > METHOD_ALONE) return true;
    }
    return false;
  }

  // Drops what the script has lost: once for each time it arrived.
  function drop() {
    for (var handle in objects) {
      var entry = objects[handle];
      if (isHeld(entry)) continue;
      delete objects[handle];
      count--;
      for (var n = entry.state.received; n > 0; n--) lost += (lost === "" ? "" : ",") + handle;
    }
    if (lost !== "") M.before = M.before || M.flush;
    most = p.MathMax(256, 2 * count);
  }

  decoding.markers.$h = function (data) {
    var handle = data[0], type = data[1], fields = decoding.revive(data[2] || {});
    if (fields.type === undefined) {
      p.ObjectDefineProperty(fields, "type",
        { value: type, enumerable: true, writable: true, configurable: true });
    }
    var known = objects[handle];
    if (known) {
      known.state.received++;
      known.state.fields = fields;
      list(known.front, fields);
      return known.proxy;
    }
    known = create(p.StringC(handle), type, fields, null);
    count++;
    objects[handle] = known;
    return known.proxy;
  };

  return {
    create: create, handler: handler, lookUp: lookUp, owns: owns, read: read, unread: unread,
    // In the root: at the end of a turn that left no task, or when many objects have come.
    release: function (idle) {
      if (count === 0 || !(idle || count >= most)) return;
      p.gc();
      drop();
    },
    // Handles that the script has lost, once for each time they arrived.
    takeLost: function () {
      var taken = lost;
      lost = "";
      return taken;
    },
  };
})
