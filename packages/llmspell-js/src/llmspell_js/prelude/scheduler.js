// Runs, invocations and tasks: what is open, and what happens when nothing can go on.
//
// The engine runs the reactions of promises; here are the entries beside them. `later` has a
// function run in an entry of its own, in the scope it is given.
(function (use) {
  "use strict";
  const {
    MapC, MapDelete, MapForEach, MapGet, MapSet, MapSize, PromiseC, PromiseThen, adopt,
  } = use("primordials");
  const { encode } = use("encode");
  const { here, make, toJson } = use("errors");
  const { anyHeld } = use("functions");
  const { cancelWhere, cancelled, drop, dropWeak, emit, hasCalls, pending, sleep, state, take } = use("calls");

  const SILENCE_MS = 50;
  const reports = new MapC();          // id of a run or invocation -> its scope
  const tasks = new MapC();            // tasks not ended -> how to fail them
  const parked = new MapC();           // waits that only the script itself can end
  let first = null, final = null;      // the queue of `later`
  let believed = false;                // whether the host was silent long enough

  // entries ---------------------------------------------------------------------------------------

  function later(scope, run) {
    const entry = { scope, run, next: null };
    if (final) final.next = entry; else first = entry;
    final = entry;
  }

  function runNext() {
    const { scope, run } = first;
    first = first.next;
    if (!first) final = null;
    state.scope = scope;
    guarded(run);
  }

  // Runs what nobody waits for: what it throws is reported.
  function guarded(run) {
    try {
      run();
    } catch (error) {
      emit("U\t" + toJson(error));
    }
  }

  // runs and invocations --------------------------------------------------------------------------

  function open(id) {
    brokenSilence();
    state.scope = { origin: id, task: null };
    MapSet(reports, id, state.scope);
  }

  function end(id, ok, text) {
    if (!MapDelete(reports, id)) return;
    if (state.before) state.before();
    emit("R\t" + id + "\t" + (ok ? 1 : 0) + "\t" + text);
  }

  function succeed(id, value) {
    let text;
    try {
      text = encode(value);
    } catch (error) {
      return fail(id, error);
    }
    return end(id, true, text);
  }

  const fail = (id, error) => end(id, false, toJson(error));

  // Ends a run or an invocation with what a value or promise comes to.
  function settle(id, value, pick) {
    PromiseThen(PromiseThen(adopt(value), pick),
      (found) => succeed(id, found), (error) => fail(id, error));
  }

  // Cancels a run or an invocation: its waits throw; one that waits for nothing of ours ends.
  function cancelReport(id) {
    if (!MapGet(reports, id)) return;
    const mine = (scope) => scope.origin === id;
    const waited = cancelWhere(mine);
    const parkedToo = rejectParked((one) => mine(one.scope), (one) => cancelled(one.place));
    if (!waited && !parkedToo) return fail(id, cancelled(""));
    // What was not caught ends it in this turn; what was caught may go on while it calls the host.
    later(null, () => {
      if (MapGet(reports, id) && !hasCalls(id)) fail(id, cancelled(""));
    });
  }

  // waits inside the script -----------------------------------------------------------------------

  // A promise that the script itself has to settle; `what` is what a deadlock would name.
  function park(what) {
    const entry = { scope: state.scope, what, place: here(), resolve: null, reject: null };
    const promise = new PromiseC((resolve, reject) => {
      entry.resolve = resolve;
      entry.reject = reject;
    });
    MapSet(parked, entry, true);
    return { entry, promise };
  }

  // Goes on in the scope that waits.
  function wake(entry, value) {
    if (MapDelete(parked, entry)) later(entry.scope, () => entry.resolve(value));
  }

  const isParked = (entry) => MapGet(parked, entry) === true;

  function rejectParked(which, error) {
    let found = false;
    MapForEach(parked, (_, entry) => {
      if (!which(entry)) return;
      found = true;
      MapDelete(parked, entry);
      later(entry.scope, () => entry.reject(error(entry)));
    });
    return found;
  }

  // nothing can go on -----------------------------------------------------------------------------

  function deadlock(what, place) {
    return make({
      code: "async.deadlock", retryable: false,
      message: "waiting for " + what + ", and nothing is left that could end the wait",
    }, place);
  }

  // What only others wait for fails by itself when those do.
  function deadlocked() {
    if (rejectParked(() => true, (entry) => deadlock(entry.what, entry.place))) return;
    if (MapSize(tasks) > 0) {
      MapForEach(tasks, (task) => task.fail(deadlock("a promise", "")));
      return;
    }
    MapForEach(reports, (_, id) => fail(id, deadlock("a promise", "")));
  }

  function brokenSilence() {
    believed = false;
    if (state.silence) {
      drop(state.silence);
      state.silence = 0;
    }
  }

  // The host may be about to call a function of the script (for an event that was just sent), so
  // while it holds any, a deadlock is only believed after a moment of silence.
  function stuck() {
    if (anyHeld() && !believed) {
      if (!state.silence) {
        state.scope = null;
        state.silence = sleep(SILENCE_MS, () => {
          state.silence = 0;
          believed = true;
        });
      }
      return;
    }
    believed = false;
    deadlocked();
  }

  // One step of a turn: "+" when there may be more to do, lines for the guest (followed by "." when
  // there is nothing to do but to wait), "." alone, "" when nothing is left.
  function turn() {
    if (first) {
      runNext();
      return "+";
    }
    if (state.before) state.before();
    const lines = take();
    if (lines !== "") return pending() > 0 ? lines + "." : lines;
    const left = MapSize(reports) + MapSize(tasks);
    if (pending() > 0) return ".";
    if (left > 0) {
      if (state.silence || state.weak) return ".";
      stuck();
      return "+";
    }
    if (!state.silence && !state.weak) return "";
    brokenSilence();
    dropWeak();
    return "+";
  }

  return {
    brokenSilence, cancelReport, end, fail, guarded, isParked, later, open, park, settle, tasks,
    turn, wake, live: () => MapSize(reports) + MapSize(tasks),
  };
})
