// Tasks and promises: how they wait for what, and how they end.
//
// A wait yields to the root, which then does what the wait is for: where the engine cannot yield
// (a native function stands between), nothing has been begun. Only the root talks to the guest
// module; what it needs first (`NATIVE`, `OUTPUT`, `EXIT`) interrupts the turn.
(function (use) {
  "use strict";
  var p = use("primordials");
  var errors = use("errors");
  var states = use("states");

  var WAIT = 1;
  var M = {
    WAIT: WAIT, NATIVE: 2, OUTPUT: 3, EXIT: 4,
    Task: p.ObjectCreate(p.ObjectPrototype),     // what tasks and promises inherit from
    current: null,                     // the task that runs
    dead: null,                        // the fields of what ended the script
    maxTasks: Infinity,
    tasks: p.ObjectCreate(null),       // those not ended, by number
    live: 0,
    reports: p.ObjectCreate(null),     // id of a run or invocation -> its task
    failed: p.array(),                    // what failed, until somebody looks
    interrupted: null,                 // the task that the guest module has to do something for
    request: 0,                        // and what
    push: null,                        // set by threads.js: has a task go on
    dropCall: null,                    // set by calls.js
    reported: null,                    // set by session.js
  };
  // What scripts hold of a task or promise.
  function front(it) {
    it.front = states.mark(p.ObjectCreate(M.Task), it);
    return it;
  }

  function refused() { return { refused: this.thread ? "a task" : "a promise" }; }

  function create() {
    return {
      number: 0, thread: null, fn: null, args: null, report: 0, origin: 0, mode: "", module: null,
      begin: null, call: 0, awaits: null, wakeError: null, answerOk: false, answer: "",
      queued: false, started: false, ended: false, failure: "", front: null,
      done: false, ok: false, value: undefined, waiters: p.array(), seen: false, cancelled: false,
      encode: refused,
    };
  }
  // A task without a thread: somebody else ends it.
  M.promise = function () { return front(create()); };
  M.create = create;
  M.front = front;

  // waiting ---------------------------------------------------------------------------------------

  function cannotWait(what) {
    errors.fail("script.cannot_wait_here", what + " has to wait, which is not possible inside a "
      + "getter, toString, valueOf, a Proxy's trap, eval, or another function that the engine "
      + "itself calls", "call it before, and use its result there");
  }

  // Yields to the root, for what `request` says; throws where that is not possible.
  function yieldOut(task, request, what) {
    if (task === null) cannotWait(what);
    var refused = false;
    try {
      p.yieldOut(request);
    } catch (e) {
      refused = true;
    }
    if (refused) cannotWait(what);
  }
  M.yieldOut = yieldOut;

  // Suspends the running task until it is pushed; `begin(task)` then runs in the root, and must
  // not fail. Throws when the task was cancelled meanwhile.
  function suspend(begin, what) {
    var task = M.current;
    if (task !== null) task.begin = begin;
    yieldOut(task, WAIT, what);
    var fields = task.wakeError;
    if (fields !== null) {
      task.wakeError = null;
      throw errors.make(fields);
    }
    return task;
  }
  M.suspend = suspend;

  // Suspends the running task until `M.wake`; `awaits` is what a deadlock would name.
  M.park = function (list, awaits) {
    suspend(function (task) {
      task.awaits = awaits;
      list[list.length] = task;
    }, awaits);
  };

  M.wake = function (task) {
    task.awaits = null;
    M.push(task);
  };

  M["yield"] = function () { suspend(M.push, "yield"); };

  // Waits for a task or promise.
  M.await = function (it) {
    if (!it.done) {
      suspend(function (task) {
        if (it.done) return M.push(task);
        it.waiters[it.waiters.length] = task;
        task.awaits = it;
      }, "await");
    }
    it.seen = true;
    if (it.ok) return it.value;
    throw it.value;
  };

  // Runs `fn(it)` when `it` has ended. In the loop: it must neither wait nor fail.
  M.whenDone = function (it, fn) {
    if (it.done) {
      it.seen = true;
      fn(it);
    } else {
      it.waiters[it.waiters.length] = fn;
    }
  };

  // ending ----------------------------------------------------------------------------------------

  // Ends a task or promise: wakes who waits for it.
  function settle(it, ok, value) {
    var waiters = it.waiters;
    it.done = true;
    it.ok = ok;
    it.value = value;
    it.waiters = p.array();
    if (!ok && waiters.length === 0 && !it.cancelled && !it.report) M.failed[M.failed.length] = it;
    for (var i = 0; i < waiters.length; i++) {
      it.seen = true;
      if (typeof waiters[i] === "function") waiters[i](it);
      else M.wake(waiters[i]);
    }
  }
  M.settle = settle;

  // Gives up what a task waits for and wakes it with an error.
  function interrupt(task, fields) {
    var awaits = task.awaits;
    task.wakeError = fields;
    task.awaits = null;
    if (task.call) {
      M.dropCall(task.call);
      task.call = 0;
    } else if (awaits !== null && typeof awaits === "object") {
      var left = p.array();
      for (var i = 0; i < awaits.waiters.length; i++) {
        if (awaits.waiters[i] !== task) left[left.length] = awaits.waiters[i];
      }
      awaits.waiters = left;
    }
    M.push(task);
  }
  M.interrupt = interrupt;

  // Cancels a task or promise: the wait of a task throws `cancelled`.
  M.cancel = function (it) {
    if (it.done) return false;
    it.cancelled = true;
    var fields = { code: "cancelled", message: "cancelled", retryable: false };
    if (it === M.current) throw errors.make(fields);
    if (it.thread) interrupt(it, fields);
    else settle(it, false, errors.make(fields));
    return true;
  };

  return M;
})
