// Tasks: functions of the script that run beside its main chunk, as promises that can be cancelled.
(function (use) {
  "use strict";
  const {
    MapDelete, MapSet, ObjectCreate, ObjectDefineProperty, ObjectSetPrototypeOf, PromiseC,
    PromisePrototype, PromiseThen, ReflectApply, WeakMapC, WeakMapGet, WeakMapSet,
    adopt,
  } = use("primordials");
  const { cancelWhere, cancelled, state } = use("calls");
  const { kind } = use("encode");
  const { fail, here } = use("errors");
  const { later, live, tasks } = use("scheduler");
  const { limits = {} } = use("options");

  const most = limits.tasks > 0 ? limits.tasks : Infinity;
  const states = new WeakMapC();       // task -> its state
  const nothing = () => undefined;

  function needFunction(fn, what) {
    if (typeof fn !== "function") fail("input.invalid", what + " takes a function, not a " + (typeof fn));
  }

  function end(it, status) {
    if (it.status !== "running") return;
    it.status = status;
    MapDelete(tasks, it);
  }

  // Its promise is let go of, or a task would never be freed: what keeps its state keeps it alive.
  function settle(it, ok, value) {
    const { resolve, reject } = it;
    it.resolve = it.reject = null;
    if (reject) (ok ? resolve : reject)(value);
  }

  // What was awaited inside throws `cancelled`; a task that waits for nothing of ours just ends.
  function cancel(it) {
    if (it.status !== "running") return false;
    it.cancelled = true;
    const error = cancelled(it.place);
    if (!it.begun || !cancelWhere((scope) => within(scope, it))) {
      end(it, "cancelled");
      settle(it, false, error);
    }
    return true;
  }

  function within(scope, it) {
    for (let at = scope.task; at; at = at.up) {
      if (at === it) return true;
    }
    return false;
  }

  const Task = ObjectCreate(PromisePrototype);
  const method = (name, value) => ObjectDefineProperty(Task, name, { __proto__: null, value });
  method("await", function () { return this; });
  method("cancel", function () { return cancel(WeakMapGet(states, this)); });
  method("status", function () { return WeakMapGet(states, this).status; });
  method("toString", function () { return "task(" + (WeakMapGet(states, this).status) + ")"; });

  function create() {
    const it = {
      __proto__: null, status: "running", begun: false, cancelled: false, place: here(), up: state.scope?.task,
      resolve: null, reject: null, fail: null,
    };
    const task = new PromiseC((resolve, reject) => {
      it.resolve = resolve;
      it.reject = reject;
    });
    WeakMapSet(states, task, it);
    kind(task, () => ({ __proto__: null, refused: "a task" }));
    return { it, task: ObjectSetPrototypeOf(task, Task) };
  }

  // Starts `fn` in an entry of its own, so that what it awaits belongs to it.
  function spawn(fn, ...args) {
    needFunction(fn, "Async.spawn");
    if (live() >= most) fail("limit.tasks", "more than " + most + " tasks at once");
    const owner = state.scope;
    const { it, task } = create();
    it.fail = (error) => {
      end(it, "failed");
      later(owner, () => settle(it, false, error));
    };
    MapSet(tasks, it, it);
    later({ origin: owner ? owner.origin : 0, task: it }, () => begin(it, owner, fn, args));
    return task;
  }

  function begin(it, owner, fn, args) {
    if (it.status !== "running") return;
    it.begun = true;
    const failed = (error) => {
      end(it, it.cancelled ? "cancelled" : "failed");
      // In the scope of who spawned it: that is where it is awaited.
      later(owner, () => settle(it, false, error));
    };
    let value;
    try {
      value = ReflectApply(fn, undefined, args);
    } catch (error) {
      failed(error);
      return;
    }
    PromiseThen(adopt(value), (found) => {
      end(it, "done");
      later(owner, () => settle(it, true, found));
    }, failed);
  }

  const isTask = (value) => typeof value === "object" && value !== null && WeakMapGet(states, value) !== undefined;

  // Ends tasks whose outcome nobody wants any more.
  function abandon(task) {
    PromiseThen(adopt(task), nothing, nothing);
    cancel(WeakMapGet(states, task));
  }

  return { abandon, isTask, needFunction, spawn };
})
