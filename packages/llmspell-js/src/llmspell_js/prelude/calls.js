// Calls of the host, and what goes to the guest: lines of text that it takes at the end of a turn.
//
//   h id target method origin args      a call; target is a number or a JSON string
//   c id                                nobody waits for this call any more
//   R id ok value                       a run or an invocation has ended
//   w stream text   L records   D handle   U error
//
// Fields are separated by tabs and are numbers, plain names, or JSON, which has neither tabs nor
// line ends. Whoever the engine runs for is `state.scope`: it is set at each entry, and as all
// that an entry leads to is run before the next one, it holds for what is awaited as well.
(function (use) {
  "use strict";
  const {
    ErrorC, ErrorStack, JSONStringify, MapC, MapDelete, MapForEach, MapGet, MapSet, MapSize,
    ObjectCreate, ObjectDefineProperty, ObjectSetPrototypeOf, PromiseC, PromisePrototype,
    PromiseReject, ReflectApply, StringC, SymbolAsyncIterator, SymbolIterator, TypeErrorC,
  } = use("primordials");
  const { cleaned, fail, make } = use("errors");
  const { encodeArgs } = use("encode");
  const { decode } = use("decode");
  const { limits = {} } = use("options");

  const IDS = 2 ** 30;                 // small integers are what the guest can pass as numbers
  const state = {
    scope: null,                       // { origin, task }: whom the running code belongs to
    silence: 0,                        // the call that waits whether the host calls back
    weak: 0,                           // calls that nobody has to wait for at the end
    maxCalls: limits.tasks > 0 ? limits.tasks : Infinity,
    before: null,                      // set by output.js: text that the host should see first
  };
  const calls = new MapC();
  let box = "", last = 0;

  function emit(line) {
    box += line + "\n";
  }

  function take() {
    const taken = box;
    box = "";
    return taken;
  }

  function nextId() {
    do last = last % IDS + 1; while (MapGet(calls, last) !== undefined);
    return last;
  }

  // How many calls have no answer yet.
  const pending = () => MapSize(calls) - state.weak - (state.silence ? 1 : 0);

  // Starts a call; `wire` is the target as it is sent. `entry` gets resolve or reject.
  function start(wire, method, args, entry) {
    if (pending() >= state.maxCalls) {
      fail("limit.tasks", "more than " + state.maxCalls + " tasks at once");
    }
    if (state.before) state.before();
    const id = nextId(), { scope } = state;
    entry.scope = scope;
    MapSet(calls, id, entry);
    // Made before it is added: where code branches or calls, the guest may come and take the box.
    emit("h\t" + id + "\t" + wire + "\t" + method + "\t" + (scope ? scope.origin : 0) + "\t" + args);
    return id;
  }

  // What host calls give: a Promise that can be iterated when what it stands for can.
  const HostPromise = ObjectCreate(PromisePrototype);
  ObjectDefineProperty(HostPromise, SymbolAsyncIterator, {
    __proto__: null,
    value: function iterate() { return iterator(this); },
  });

  function iterator(promise) {
    let inner;
    const open = async () => {
      const found = await promise;
      const method = found?.[SymbolAsyncIterator] ?? found?.[SymbolIterator];
      if (typeof method !== "function") throw new TypeErrorC(StringC(found) + " cannot be iterated");
      return ReflectApply(method, found, []);
    };
    return {
      async next() {
        inner ??= open();
        return (await inner).next();
      },
      async return(value) {
        const found = inner && await inner;
        if (found?.return) await found.return();
        return { done: true, value };
      },
      [SymbolAsyncIterator]() { return this; },
    };
  }

  // Calls the host: a promise of its answer.
  function call(wire, method, args) {
    try {
      const entry = {
        __proto__: null, scope: null, resolve: null, reject: null, trace: new ErrorC(), done: null, weak: false,
      };
      const promise = new PromiseC((resolve, reject) => {
        entry.resolve = resolve;
        entry.reject = reject;
      });
      start(wire, method, encodeArgs(args), entry);
      return ObjectSetPrototypeOf(promise, HostPromise);
    } catch (error) {
      return PromiseReject(error);
    }
  }


  // An answer has come: the scope of its call goes on.
  function answered(id, ok, text) {
    const entry = MapGet(calls, id);
    if (!entry) return;
    MapDelete(calls, id);
    if (entry.weak) state.weak--;
    state.scope = entry.scope;
    if (entry.done) entry.done(ok);
    else if (ok) entry.resolve(text === "null" ? null : decode(text));
    else entry.reject(make(decode(text), cleaned(ErrorStack(entry.trace))));
  }

  // Nobody waits for this call any more.
  function drop(id) {
    const entry = MapGet(calls, id);
    if (!entry) return;
    MapDelete(calls, id);
    if (entry.weak) state.weak--;
    emit("c\t" + id);
  }

  function dropWeak() {
    const found = { __proto__: null };
    let count = 0;
    MapForEach(calls, (entry, id) => { if (entry.weak) found[count++] = id; });
    for (let i = 0; i < count; i++) drop(found[i]);
  }

  function cancelled(stack) {
    return make({ code: "cancelled", message: "cancelled", retryable: false }, stack);
  }

  // Ends the waits of a scope with `cancelled`. Returns whether there were any.
  function cancelWhere(belongs) {
    const found = { __proto__: null };
    let count = 0, waited = false;
    MapForEach(calls, (entry, id) => {
      if (entry.scope && id !== state.silence && belongs(entry.scope)) found[count++] = id;
    });
    for (let i = 0; i < count; i++) {
      const entry = MapGet(calls, found[i]);
      drop(found[i]);
      if (entry.reject) {
        waited = true;
        entry.reject(cancelled(cleaned(ErrorStack(entry.trace))));
      }
    }
    return waited;
  }

  const wire = (name) => JSONStringify(name);
  const SLEEP = wire("Async");

  // Runs `ended` in this scope after so many milliseconds; it must not fail. A weak one does not
  // keep the script from its end.
  function sleep(ms, ended, weak) {
    const id = start(SLEEP, "sleep", encodeArgs([ms]), {
      __proto__: null, scope: null, resolve: null, reject: null, trace: null, done: ended, weak,
    });
    if (weak) state.weak++;
    return id;
  }

  function hasCalls(origin) {
    let found = false;
    MapForEach(calls, (entry) => { found = found || entry.scope?.origin === origin; });
    return found;
  }

  return {
    SLEEP, answered, call, cancelWhere, cancelled, drop, dropWeak, emit, hasCalls, pending, sleep,
    state, take, wire,
  };
})
