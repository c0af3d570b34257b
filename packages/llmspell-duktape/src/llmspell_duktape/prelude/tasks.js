// Tasks: threads of the engine that may wait, and the queue of those that can go on.
//
// A wait yields to the root, which then does what the wait is for: where the engine cannot yield
// (a native function stands between), nothing has been begun. Only the root talks to the guest
// module; what it needs first (`NATIVE`, `OUTPUT`, `EXIT`) interrupts the turn.
(function (use) {
  "use strict";
  var p = use("primordials");
  var errors = use("errors");
  var states = use("states");

  var WAIT = 1, NATIVE = 2, OUTPUT = 3, EXIT = 4;
  var M = {
    WAIT: WAIT, NATIVE: NATIVE, OUTPUT: OUTPUT, EXIT: EXIT,
    Task: p.ObjectCreate(p.ObjectPrototype),     // what tasks and promises inherit from
    current: null,                     // the task that runs
    dead: null,                        // the fields of what ended the script
    maxTasks: Infinity,
    tasks: p.ObjectCreate(null),       // those not ended, by number
    live: 0,
    reports: p.ObjectCreate(null),     // id of a run or invocation -> its task
    failed: [],                        // what failed, until somebody looks
    interrupted: null,                 // the task that the guest module has to do something for
    request: 0,                        // and what
    dropCall: null,                    // set by calls.js
    reported: null,                    // set by session.js
  };
  var ready = [], head = 0, last = 0;

  function push(task) {
    if (!task.queued) {
      task.queued = true;
      ready[ready.length] = task;
    }
  }
  M.push = push;
  M.noneReady = function () { return head >= ready.length; };

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
    push(task);
  };

  M["yield"] = function () { suspend(push, "yield"); };

  // Waits for a task or promise.
  M.await = function (it) {
    if (!it.done) {
      suspend(function (task) {
        if (it.done) return push(task);
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
    it.waiters = [];
    if (!ok && waiters.length === 0 && !it.cancelled && !it.report) M.failed[M.failed.length] = it;
    for (var i = 0; i < waiters.length; i++) {
      it.seen = true;
      if (typeof waiters[i] === "function") waiters[i](it);
      else M.wake(waiters[i]);
    }
  }
  M.settle = settle;

  function finish(task, ok, value) {
    delete M.tasks[task.number];
    M.live--;
    task.thread = null;
    settle(task, ok, value);
    if (task.report) {
      delete M.reports[task.report];
      M.reported(task);
    }
  }

  // Gives up what a task waits for and wakes it with an error.
  function interrupt(task, fields) {
    var awaits = task.awaits;
    task.wakeError = fields;
    task.awaits = null;
    if (task.call) {
      M.dropCall(task.call);
      task.call = 0;
    } else if (awaits !== null && typeof awaits === "object") {
      var left = [];
      for (var i = 0; i < awaits.waiters.length; i++) {
        if (awaits.waiters[i] !== task) left[left.length] = awaits.waiters[i];
      }
      awaits.waiters = left;
    }
    push(task);
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

  // running ---------------------------------------------------------------------------------------

  // The function of every thread. Where a value that is no Error was thrown is known only here.
  function main(task) {
    var args = task.args;
    task.args = null;
    try {
      task.value = p.ReflectApply(task.fn, undefined, args);
      task.ok = true;
    } catch (e) {
      task.value = e;
      task.ok = false;
      try {
        task.failure = errors.toJson(e);
      } catch (again) {}
    }
    task.ended = true;
  }

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
      done: false, ok: false, value: undefined, waiters: [], seen: false, cancelled: false,
      encode: refused,
    };
  }
  M.promise = function () { return front(create()); };

  // A new task for `fn(...args)`; `report` is the id under which the host waits for its end.
  M.spawnAlways = function (fn, args, report) {
    var task = create();
    task.number = ++last;
    task.fn = fn;
    task.args = args;
    task.report = report || 0;
    // The run or callback that this work belongs to.
    task.origin = report || (M.current ? M.current.origin : 0);
    task.thread = new p.ThreadC(main);
    M.tasks[task.number] = task;
    M.live++;
    if (report) M.reports[report] = task;
    push(task);
    return task;
  };

  M.spawn = function (fn, args) {
    if (M.live >= M.maxTasks) {
      errors.fail("limit.tasks", "more than " + M.maxTasks + " tasks at once");
    }
    return front(M.spawnAlways(fn, args, 0));
  };

  // Lets a task run until it waits or ends. Returns whether the guest module is needed first.
  function step(task) {
    var what;
    M.current = task;
    try {
      what = p.resume(task.thread, task);
    } catch (e) {
      task.ended = true;
      task.ok = false;
      task.value = e;
    }
    M.current = null;
    if (task.ended) {
      finish(task, task.ok, task.value);
      return false;
    }
    if (what === WAIT) {
      var begin = task.begin;
      task.begin = null;
      begin(task);
      return false;
    }
    M.interrupted = task;
    M.request = what;
    return true;
  }
  M.step = step;

  // Runs until every task waits, or the guest module is needed.
  M.runReady = function () {
    while (head < ready.length && !M.dead) {
      var task = ready[head];
      ready[head++] = null;
      task.queued = false;
      if (task.done) continue;
      if (!task.started && task.wakeError) {
        finish(task, false, errors.make(task.wakeError));
        continue;
      }
      task.started = true;
      if (step(task)) return true;
      if (head > 1000 && head * 2 > ready.length) {
        ready = p.ArraySlice(ready, head);
        head = 0;
      }
    }
    if (head >= ready.length) {
      ready = [];
      head = 0;
    }
    return false;
  };

  M.forgetAll = function () {
    M.tasks = p.ObjectCreate(null);
    M.reports = p.ObjectCreate(null);
    M.failed = [];
    M.live = 0;
    M.interrupted = null;
    ready = [];
    head = 0;
  };

  return M;
})
