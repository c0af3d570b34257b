// Turns: the engine runs until every task waits, and then says so.
//
// When nothing is left that could wake a task, those that wait fail at once. When the last task
// has ended, failures that nobody has looked at are reported.
(function (use) {
  "use strict";
  var p = use("primordials");
  var errors = use("errors");
  var anyHeld = use("functions").anyHeld;
  var proxies = use("proxies");
  var M = use("calls");
  var SILENCE_MS = 50;
  var silence = 0;

  // Tasks that only other tasks wait for fail by themselves when those do.
  function deadlocked() {
    var found = p.array(), all = p.array();
    for (var number in M.tasks) {
      var task = M.tasks[number], awaits = task.awaits;
      all[all.length] = task;
      if (typeof awaits === "string" || awaits === null || !awaits.thread) found[found.length] = task;
    }
    if (found.length === 0) found = all;
    for (var i = 0; i < found.length; i++) {
      var what = typeof found[i].awaits === "string" ? found[i].awaits : "a task or promise";
      M.interrupt(found[i], {
        code: "async.deadlock", retryable: false,
        message: "waiting for " + what + ", and nothing is left that could end the wait",
      });
    }
  }

  // The host may be about to call a function of the script (for an event that was just sent), so
  // while it holds any, a deadlock is only believed after a moment of silence.
  function maybeDeadlocked() {
    if (!anyHeld()) return deadlocked();
    silence = M.startCall(M.SLEEP, "sleep", "[" + SILENCE_MS + "]", function () {
      silence = 0;
      if (M.live > 0 && M.pending === 0 && M.noneReady()) deadlocked();
    });
    return undefined;
  }

  function brokenSilence() {
    if (silence) {
      M.dropCall(silence);
      silence = 0;
    }
  }

  // The script is over: everything that somebody waits for gets the reason.
  function collapse() {
    var fields = M.dead, text = p.JSONStringify(fields);
    if (M.before) M.before();
    for (var call in M.calls) M.dropCall(call);
    silence = 0;
    for (var id in M.reports) M.emit("R\t" + id + "\t0\t" + text);
    M.forgetAll();
  }

  function reportFailed() {
    var failed = M.failed;
    M.failed = p.array();
    for (var i = 0; i < failed.length; i++) {
      if (!failed[i].seen && !failed[i].cancelled) {
        M.emit("U\t" + (failed[i].failure || errors.toJson(failed[i].value)));
      }
    }
  }

  // What the running task wants of the guest module first: the mark that ends the text.
  function asked() {
    if (M.request === M.NATIVE) {
      M.emit("n\t" + M.interrupted.answer);
      return "n";
    }
    return M.request === M.OUTPUT ? "+" : "";
  }

  function run() {
    var task = M.interrupted;
    M.interrupted = null;
    if ((task && !M.dead && M.step(task)) || M.runReady()) return asked();
    while (!M.dead && M.live > 0 && M.pending === 0) {
      maybeDeadlocked();
      if (M.runReady()) return asked();
    }
    return "";
  }

  // Lines for the guest module. The last is a mark: "n" and "+" want the turn to go on, with an
  // answer or as it is; "." says that tasks are left, "_" that none is.
  M.turn = function () {
    var mark = run();
    if (M.dead && mark !== "n") {
      collapse();
      mark = "";
    }
    if (mark === "") {
      if (M.live === 0) {
        reportFailed();
        brokenSilence();
      }
      errors.forgetThrown();
      proxies.release(M.live === 0);
      if (M.before) M.before();
      mark = M.live === 0 ? "_" : ".";
    }
    return M.take() + mark;
  };

  M.answer = function (id, ok, text) {
    if (M.answered(id, ok, text)) brokenSilence();
  };

  M.cancelReport = function (id) {
    var task = M.reports[id];
    if (task) M.cancel(task);
  };

  // Starts a task for the host; `mode` is how its result is given.
  M.start = function (report, mode, fn, args) {
    if (M.dead) {
      M.emit("R\t" + report + "\t0\t" + p.JSONStringify(M.dead));
      return;
    }
    brokenSilence();
    M.spawnAlways(fn, args, report).mode = mode;
  };

  M.die = function (fields) { M.dead = M.dead || fields; };

  return M;
})
