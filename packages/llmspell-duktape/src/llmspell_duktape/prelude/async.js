// The `Async` global.
(function (use) {
  "use strict";
  var p = use("primordials");
  var errors = use("errors");
  var promises = use("promises");
  var M = use("scheduler");
  var fail = errors.fail, isTask = promises.isTask;

  function needFunction(fn, what) {
    if (typeof fn !== "function") fail("input.invalid", what + " takes a function, not a " + typeof fn);
  }

  function milliseconds(value, what) {
    if (typeof value !== "number" || !(value >= 0)) {
      fail("input.invalid", what + ": milliseconds must be a number of 0 or more");
    }
    return value;
  }

  function rest(args, from) { return p.ArraySlice(p.list(args), from); }

  var Async = p.ObjectCreate(null);

  Async.spawn = function (fn) {
    needFunction(fn, "Async.spawn");
    return M.spawn(fn, rest(arguments, 1)).front;
  };

  Async.await = function (it) {
    if (!isTask(it)) {
      fail("input.invalid", "Async.await takes a task or a promise, not a " + typeof it);
    }
    return M.await(promises.stateOf(it));
  };

  Async.sleep = function (ms) {
    M.call(M.SLEEP, "sleep", [milliseconds(ms, "Async.sleep")]);
  };

  Async["yield"] = M["yield"];

  Async.promise = function (fn) {
    needFunction(fn, "Async.promise");
    return promises.create(fn);
  };

  Async.queue = function (size) { return use("queues").create(size); };
  Async.all = function (items, options) { return use("gather").all(items, options); };
  Async.all_settled = function (items, options) { return use("gather").allSettled(items, options); };
  Async.race = function (items, options) { return use("gather").race(items, options); };

  // time ------------------------------------------------------------------------------------------

  Async.timeout = function (ms, fn) {
    milliseconds(ms, "Async.timeout");
    if (!isTask(fn)) needFunction(fn, "Async.timeout");
    var it = isTask(fn) ? promises.stateOf(fn) : M.spawn(fn, rest(arguments, 2));
    var master = M.promise(), stack = use("stacks").stack();
    var timer = M.startCall(M.SLEEP, "sleep", "[" + ms + "]", function () {
      if (master.done) return;
      M.settle(master, false, errors.make({
        code: "timeout", message: "timed out after " + ms + " ms", retryable: true, stack: stack,
      }));
    });
    M.whenDone(it, function (ended) {
      if (!master.done) M.settle(master, ended.ok, ended.value);
    });
    try {
      return M.await(master);
    } finally {
      M.dropCall(timer);
      promises.abandon([it]);
    }
  };

  var RETRY = ["max_attempts", "backoff_ms", "multiplier", "jitter"];

  function orElse(value, other) { return value === undefined ? other : value; }

  Async.retry = function (fn, options) {
    needFunction(fn, "Async.retry");
    var given = errors.checkOptions(options, RETRY, "Async.retry");
    var attempts = orElse(given.max_attempts, 3), wait = orElse(given.backoff_ms, 500);
    var jitter = orElse(given.jitter, true);
    if (typeof attempts !== "number" || attempts % 1 !== 0 || attempts < 1) {
      fail("input.invalid", "Async.retry: max_attempts must be a whole number of 1 or more");
    }
    jitter = jitter === true ? 0.5 : jitter || 0;
    for (var attempt = 1; ; attempt++) {
      try {
        return fn(attempt);
      } catch (e) {
        if (attempt >= attempts || (errors.is(e) && e.code === "cancelled")) throw e;
      }
      var ms = p.MathFloor(wait * (1 + jitter * (2 * p.MathRandom() - 1)));
      if (ms > 0) Async.sleep(ms);
      wait *= orElse(given.multiplier, 2);
    }
  };

  return Async;
})
