// The threads of tasks: which can go on, and running them until they wait.
(function (use) {
  "use strict";
  var p = use("primordials");
  var errors = use("errors");
  var M = use("tasks");
  var ready = p.array(), head = 0, last = 0;

  function push(task) {
    if (!task.queued) {
      task.queued = true;
      ready[ready.length] = task;
    }
  }
  M.push = push;
  M.noneReady = function () { return head >= ready.length; };

  function finish(task, ok, value) {
    delete M.tasks[task.number];
    M.live--;
    task.thread = null;
    M.settle(task, ok, value);
    if (task.report) {
      delete M.reports[task.report];
      M.reported(task);
    }
  }

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

  // A new task for `fn(...args)`; `report` is the id under which the host waits for its end.
  M.spawnAlways = function (fn, args, report) {
    var task = M.create();
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
    return M.front(M.spawnAlways(fn, args, 0));
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
    if (errors.exhausted && !M.dead) {
      M.dead = {
        code: "script.memory_limit", message: "the script used up its memory", retryable: false,
      };
    }
    if (M.dead) {
      // Caught or not: nothing more of the script runs.
      M.interrupted = task;
      M.request = M.EXIT;
      return true;
    }
    if (task.ended) {
      finish(task, task.ok, task.value);
      return false;
    }
    if (what === M.WAIT) {
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
        ready = p.ObjectSetPrototypeOf(p.ArraySlice(ready, head), null);
        head = 0;
      }
    }
    if (head >= ready.length) {
      ready = p.array();
      head = 0;
    }
    return false;
  };

  M.forgetAll = function () {
    M.tasks = p.ObjectCreate(null);
    M.reports = p.ObjectCreate(null);
    M.failed = p.array();
    M.live = 0;
    M.interrupted = null;
    ready = p.array();
    head = 0;
  };

  return M;
})
