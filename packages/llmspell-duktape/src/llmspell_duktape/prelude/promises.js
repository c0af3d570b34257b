// The methods of tasks and promises. A promise is a task without a thread: somebody else ends it.
(function (use) {
  "use strict";
  var p = use("primordials");
  var states = use("states");
  var errors = use("errors");
  var M = use("scheduler");

  // The record of a task or promise that a script holds, or null.
  function stateOf(value) {
    var state = states.of(value);
    return state !== null && state.waiters ? state : null;
  }
  function isTask(value) { return stateOf(value) !== null; }

  function self(it, name) {
    return stateOf(it) || errors.fail("input.invalid", "call it as task." + name + "()");
  }

  function resolve(it, value) {
    if (it.done) return;
    var other = stateOf(value);
    if (other !== null && other !== it) {
      M.whenDone(other, function (ended) {
        if (!it.done) M.settle(it, ended.ok, ended.value);
      });
    } else {
      M.settle(it, true, value);
    }
  }

  function reject(it, e) {
    if (!it.done) M.settle(it, false, e);
  }

  function run(child, handler, value) {
    try {
      resolve(child, handler(value));
    } catch (e) {
      reject(child, e);
    }
  }

  // Runs a handler in a task of its own once `it` has ended.
  function after(it, onValue, onError) {
    var child = M.promise();
    M.whenDone(it, function (ended) {
      var handler = ended.ok ? onValue : onError;
      if (typeof handler === "function") M.spawnAlways(run, [child, handler, ended.value], 0);
      else if (!child.done) M.settle(child, ended.ok, ended.value);
    });
    return child.front;
  }

  function status(it) {
    if (!it.done) return "running";
    if (it.ok) return "done";
    return it.cancelled ? "cancelled" : "failed";
  }

  var methods = {
    "await": function () { return M.await(self(this, "await")); },
    cancel: function () { return M.cancel(self(this, "cancel")); },
    status: function () { return status(self(this, "status")); },
    then: function (fn, onError) { return after(self(this, "then"), fn, onError); },
    next: function (fn, onError) { return after(self(this, "next"), fn, onError); },
    "catch": function (fn) { return after(self(this, "catch"), undefined, fn); },
    "finally": function (fn) {
      return after(self(this, "finally"), function (value) {
        fn();
        return value;
      }, function (e) {
        fn();
        throw e;
      });
    },
    toString: function () {
      var it = self(this, "toString");
      return (it.fn ? "task(" : "promise(") + status(it) + ")";
    },
  };
  for (var name in methods) p.ObjectDefineProperty(M.Task, name, { value: methods[name] });
  p.ObjectFreeze(M.Task);

  return {
    isTask: isTask, stateOf: stateOf,
    // Calls `fn(resolve, reject)` at once.
    create: function (fn) {
      var it = M.promise();
      try {
        fn(function (value) { resolve(it, value); }, function (e) { reject(it, e); });
      } catch (e) {
        reject(it, e);
      }
      return it.front;
    },
    // Ends what nobody waits for any more.
    abandon: function (list) {
      for (var i = 0; i < list.length; i++) {
        list[i].seen = true;
        if (list[i] !== M.current) M.cancel(list[i]);
      }
    },
  };
})
