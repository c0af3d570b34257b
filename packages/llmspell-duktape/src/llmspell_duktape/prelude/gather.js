// `Async.all`, `all_settled` and `race`: several at once, in a list or under names.
(function (use) {
  "use strict";
  var p = use("primordials");
  var errors = use("errors");
  var promises = use("promises");
  var M = use("scheduler");
  var fail = errors.fail;

  function keysOf(items, what) {
    if (typeof items !== "object" || items === null || promises.isTask(items)) {
      fail("input.invalid", what + " takes a list or an object of tasks, functions or promises");
    }
    if (!p.ArrayIsArray(items)) return p.ObjectKeys(items);
    var keys = p.array();
    for (var i = 0; i < items.length; i++) keys[i] = i;
    return keys;
  }

  // What an item stands for; what is started for it is added to `own`.
  function started(item, own) {
    if (typeof item === "function") {
      var task = M.spawn(item, []);
      own[own.length] = task;
      return task;
    }
    var it = promises.stateOf(item);
    if (it !== null) return it;
    it = M.promise();
    M.settle(it, true, item);
    return it;
  }

  function concurrency(options, many, what) {
    var most = errors.checkOptions(options, ["concurrency"], what).concurrency;
    if (most === undefined) return many;
    if (typeof most !== "number" || most % 1 !== 0 || most < 1) {
      fail("input.invalid", what + ": concurrency must be a whole number of 1 or more");
    }
    return most;
  }

  // Starts the items, at most `concurrency` at once, and waits; `each(key, it, master)` takes what
  // has ended. Whatever ends the wait, the tasks started for it end as well.
  function gather(items, options, what, each) {
    var keys = keysOf(items, what), most = concurrency(options, keys.length, what);
    var master = M.promise(), own = p.array(), next = 0, ended = 0, running = 0, launching = false;

    function finished(key) {
      return function (it) {
        running--;
        ended++;
        if (master.done) return;
        each(key, it, master);
        if (!master.done && ended === keys.length) M.settle(master, true, undefined);
        if (master.done) return;
        // In the loop nothing may fail: a limit that was reached ends the whole.
        try {
          launch();
        } catch (e) {
          M.settle(master, false, e);
        }
      };
    }

    function launch() {
      if (launching) return;
      launching = true;
      try {
        while (running < most && next < keys.length && !master.done) {
          var key = keys[next++], it = started(items[key], own);
          running++;
          M.whenDone(it, finished(key));
        }
      } finally {
        launching = false;
      }
    }

    try {
      launch();
      if (keys.length === 0) M.settle(master, true, undefined);
      return M.await(master);
    } finally {
      promises.abandon(own);
    }
  }

  function collection(items) { return p.ArrayIsArray(items) ? p.array() : {}; }
  function given(results) { return p.ArrayIsArray(results) ? p.given(results) : results; }

  // An error as it is collected: always an object.
  function collected(it) {
    if (errors.is(it.value)) return it.value;
    // Where it was thrown is known from then.
    return errors.make(it.failure === "" ? errors.describe(it.value) : p.JSONParse(it.failure));
  }

  return {
    all: function (items, options) {
      var results = collection(items);
      gather(items, options, "Async.all", function (key, it, master) {
        if (it.ok) results[key] = it.value;
        else M.settle(master, false, it.value);
      });
      return given(results);
    },
    allSettled: function (items, options) {
      var results = collection(items);
      gather(items, options, "Async.all_settled", function (key, it) {
        results[key] = it.ok ? { success: true, value: it.value }
          : { success: false, error: collected(it) };
      });
      return given(results);
    },
    race: function (items, options) {
      if (keysOf(items, "Async.race").length === 0) {
        fail("input.invalid", "Async.race needs at least one task, function or promise");
      }
      var won;
      gather(items, options, "Async.race", function (key, it, master) {
        won = it.value;
        M.settle(master, it.ok, it.value);
      });
      return won;
    },
  };
})
