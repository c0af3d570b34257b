// `Async.all`, `all_settled` and `race`: several functions, tasks or promises, in a list or a map.
(function (use) {
  "use strict";
  const {
    ArrayIsArray, NumberIsInteger, ObjectKeys, ObjectPrototype, PromiseC, PromiseThen,
    adopt, put,
  } = use("primordials");
  const { state } = use("calls");
  const { checkOptions, describe, fail, is, make } = use("errors");
  const { later } = use("scheduler");
  const { abandon, spawn } = use("tasks");

  const awaitable = (value) => typeof value === "object" && value !== null && typeof value.then === "function";

  function keysOf(items, what) {
    if (typeof items !== "object" || items === null || awaitable(items)) {
      fail("input.invalid", what + " takes a list or an object of tasks, functions or promises");
    }
    return ObjectKeys(items);
  }

  // An error as it is collected: always an object.
  const collected = (error) => (is(error) ? error : make(describe(error)));

  // Starts the items, at most `concurrency` at once. `each` takes what has ended, and whether it
  // ended well; it returns whether the whole is to go on.
  function gather(items, options, what, each, finish) {
    const keys = keysOf(items, what);
    const { concurrency = keys.length } = checkOptions(options, ["concurrency"], what);
    if (!NumberIsInteger(concurrency) || (concurrency < 1 && keys.length > 0)) {
      fail("input.invalid", what + ": concurrency must be a whole number of 1 or more");
    }
    const scope = state.scope;
    const own = { __proto__: null, count: 0 };
    let started = 0, ended = 0, running = 0, over = false;

    return new PromiseC((resolve, reject) => {
      // In the scope of who waits, whoever's promise was the last.
      const close = (settle, value) => {
        over = true;
        for (let i = 0; i < own.count; i++) abandon(own[i]);
        later(scope, () => settle(value));
      };
      const taken = (key, ok) => (value) => {
        running--;
        ended++;
        if (over) return;
        const outcome = each(key, ok, value);
        if (outcome) close(outcome.ok ? resolve : reject, outcome.value);
        else if (ended === keys.length) close(resolve, finish());
        else launch();
      };
      const launch = () => {
        while (!over && running < concurrency && started < keys.length) {
          const key = keys[started++];
          let item = items[key];
          try {
            if (typeof item === "function") item = own[own.count++] = spawn(item);
          } catch (error) {
            own.count--;
            close(reject, error);
            return;
          }
          running++;
          PromiseThen(adopt(item), taken(key, true), taken(key, false));
        }
      };
      if (keys.length === 0) close(resolve, finish());
      else launch();
    });
  }

  const container = (items) => (ArrayIsArray(items) ? [] : { __proto__: ObjectPrototype });

  function all(items, options) {
    const results = container(items);
    return gather(items, options, "Async.all", (key, ok, value) => {
      if (!ok) return { ok, value };
      put(results, key, value);
      return undefined;
    }, () => results);
  }

  function allSettled(items, options) {
    const results = container(items);
    return gather(items, options, "Async.all_settled", (key, ok, value) => {
      put(results, key, ok ? { success: true, value } : { success: false, error: collected(value) });
    }, () => results);
  }

  function race(items, options) {
    if (keysOf(items, "Async.race").length === 0) {
      fail("input.invalid", "Async.race needs at least one task, function or promise");
    }
    return gather(items, options, "Async.race", (key, ok, value) => ({ ok, value }), () => undefined);
  }

  return { all, allSettled, race };
})
