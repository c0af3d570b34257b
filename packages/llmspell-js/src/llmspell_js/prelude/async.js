// The `Async` global: the same functions as on every engine, on promises.
(function (use) {
  "use strict";
  const {
    MathFloor, MathPow, MathRandom, NumberIsInteger, PromiseC, PromiseResolve, PromiseThen,
    ReflectApply, adopt,
  } = use("primordials");
  const { SLEEP, call, drop, sleep, state } = use("calls");
  const { checkOptions, fail, here, is, make } = use("errors");
  const { later } = use("scheduler");
  const { abandon, isTask, needFunction, spawn } = use("tasks");

  function milliseconds(value, what) {
    if (typeof value !== "number" || !(value >= 0)) {
      fail("input.invalid", what + ": milliseconds must be a number of 0 or more");
    }
    return value;
  }

  // time ------------------------------------------------------------------------------------------

  function timeout(ms, fn, ...args) {
    milliseconds(ms, "Async.timeout");
    const awaited = typeof fn === "object" && fn !== null && typeof fn.then === "function";
    if (!awaited) needFunction(fn, "Async.timeout");
    const task = awaited ? fn : spawn(() => ReflectApply(fn, undefined, args));
    const place = here();
    return new PromiseC((resolve, reject) => {
      const timer = sleep(ms, () => {
        reject(make({ code: "timeout", message: "timed out after " + ms + " ms", retryable: true }, place));
        if (isTask(task)) abandon(task);
      });
      const stop = (settle) => (value) => {
        drop(timer);
        settle(value);
      };
      PromiseThen(adopt(task), stop(resolve), stop(reject));
    });
  }

  const RETRY = ["max_attempts", "backoff_ms", "multiplier", "jitter"];

  function checkedRetry(options) {
    const { max_attempts = 3, backoff_ms = 500, multiplier = 2, jitter = true } =
      checkOptions(options, RETRY, "Async.retry");
    if (!NumberIsInteger(max_attempts) || max_attempts < 1) {
      fail("input.invalid", "Async.retry: max_attempts must be a whole number of 1 or more");
    }
    return { max_attempts, backoff_ms, multiplier, jitter: jitter === true ? 0.5 : jitter || 0 };
  }

  async function retry(fn, options) {
    needFunction(fn, "Async.retry");
    const { max_attempts, backoff_ms, multiplier, jitter } = checkedRetry(options);
    for (let attempt = 1; ; attempt++) {
      try {
        return await fn(attempt);
      } catch (error) {
        if (attempt >= max_attempts || (is(error) && error.code === "cancelled")) throw error;
      }
      const ms = backoff_ms * MathPow(multiplier, attempt - 1) * (1 + jitter * (2 * MathRandom() - 1));
      if (ms > 0) await Async.sleep(MathFloor(ms));
    }
  }

  // the surface -----------------------------------------------------------------------------------

  const Async = {
    __proto__: null,
    spawn, timeout, retry,
    sleep: async (ms) => { await call(SLEEP, "sleep", [milliseconds(ms, "Async.sleep")]); },
    yield: () => new PromiseC((resolve) => later(state.scope, resolve)),
    await: (value) => PromiseResolve(value),
    promise(fn) {
      needFunction(fn, "Async.promise");
      return new PromiseC(fn);
    },
    all: (items, options) => use("gather").all(items, options),
    all_settled: (items, options) => use("gather").allSettled(items, options),
    race: (items, options) => use("gather").race(items, options),
    queue: (size) => use("queues")(size),
  };
  return Async;
})
