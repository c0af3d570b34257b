// `Async.queue`: values from task to task, with push-back when it is full.
(function (use) {
  "use strict";
  var p = use("primordials");
  var states = use("states");
  var errors = use("errors");
  var M = use("scheduler");
  var fail = errors.fail;

  function wakeFirst(list) {
    while (list.length > 0) {
      var waiter = list[0];
      for (var i = 1; i < list.length; i++) list[i - 1] = list[i];
      list.length--;
      if (waiter.awaits !== null) return M.wake(waiter);
    }
    return undefined;
  }

  function self(it, name) {
    var state = states.of(it);
    return state !== null && state.popping ? state
      : fail("input.invalid", "call it as queue." + name + "()");
  }

  var Queue = p.ObjectFreeze(p.ObjectCreate(p.ObjectPrototype, {
    push: {
      value: function (value) {
        var state = self(this, "push");
        if (value === undefined || value === null) {
          fail("input.invalid", "a queue cannot hold undefined or null");
        }
        while (!state.closed && state.last - state.taken >= state.most) {
          M.park(state.pushing, "room in a queue");
        }
        if (state.closed) fail("async.closed", "the queue is closed");
        state.items[++state.last] = value;
        wakeFirst(state.popping);
      },
    },
    // The next value; null when the queue is closed and empty.
    pop: {
      value: function () {
        var state = self(this, "pop");
        while (state.last === state.taken) {
          if (state.closed) return null;
          M.park(state.popping, "a queue");
        }
        var value = state.items[++state.taken];
        delete state.items[state.taken];
        wakeFirst(state.pushing);
        return value;
      },
    },
    close: {
      value: function () {
        var state = self(this, "close");
        state.closed = true;
        for (var i = state.popping.length; i > 0; i--) wakeFirst(state.popping);
        for (i = state.pushing.length; i > 0; i--) wakeFirst(state.pushing);
      },
    },
    // Calls `fn(value)` for each value until the queue is closed and empty.
    forEach: {
      value: function (fn) {
        for (var value = this.pop(); value !== null; value = this.pop()) fn(value);
      },
    },
    length: { get: function () { return self(this, "length").last - self(this, "length").taken; } },
    toString: { value: function () { return "queue(" + this.length + ")"; } },
  }));

  function refused() { return { refused: "a queue" }; }

  return {
    create: function (most) {
      if (most !== undefined && (typeof most !== "number" || most % 1 !== 0 || most < 1)) {
        fail("input.invalid", "Async.queue takes the number of values it may hold, 1 or more");
      }
      return p.ObjectFreeze(states.mark(p.ObjectCreate(Queue), {
        items: p.ObjectCreate(null), last: 0, taken: 0, most: most || Infinity, closed: false,
        pushing: p.array(), popping: p.array(), encode: refused,
      }));
    },
  };
})
