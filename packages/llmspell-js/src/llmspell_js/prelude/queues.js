// `Async.queue`: values from task to task, with push-back when it is full.
(function (use) {
  "use strict";
  const {
    MapC, MapDelete, MapForEach, MapSize, MapGet, MapSet, NumberIsInteger, ObjectFreeze,
    SymbolAsyncIterator,
  } = use("primordials");
  const { kind } = use("encode");
  const { fail } = use("errors");
  const { isParked, park, wake } = use("scheduler");

  // The first of those who still wait.
  function first(waiting) {
    let found;
    MapForEach(waiting, (_, entry) => {
      if (found === undefined && isParked(entry)) found = entry;
      else if (found === undefined) MapDelete(waiting, entry);
    });
    if (found) MapDelete(waiting, found);
    return found;
  }

  const wakeFirst = (waiting) => {
    const entry = first(waiting);
    if (entry) wake(entry);
  };

  async function wait(waiting, what) {
    const { entry, promise } = park(what);
    MapSet(waiting, entry, true);
    await promise;
  }

  return (size) => {
    if (size !== undefined && !(NumberIsInteger(size) && size >= 1)) {
      fail("input.invalid", "Async.queue takes the number of values it may hold, 1 or more");
    }
    const most = size ?? Infinity;
    const items = new MapC(), pushing = new MapC(), popping = new MapC();
    let last = 0, taken = 0, closed = false;

    const queue = {
      async push(value) {
        if (value === undefined || value === null) fail("input.invalid", "a queue cannot hold null");
        while (!closed && last - taken >= most) await wait(pushing, "room in a queue");
        if (closed) fail("async.closed", "the queue is closed");
        MapSet(items, ++last, value);
        wakeFirst(popping);
      },
      // The next value; null when the queue is closed and empty.
      async pop() {
        while (last === taken) {
          if (closed) return null;
          await wait(popping, "a queue");
        }
        const value = MapGet(items, ++taken);
        MapDelete(items, taken);
        wakeFirst(pushing);
        return value;
      },
      close() {
        closed = true;
        for (let many = MapSize(popping); many > 0; many--) wakeFirst(popping);
        for (let many = MapSize(pushing); many > 0; many--) wakeFirst(pushing);
      },
      get length() { return last - taken; },
      toString: () => "queue(" + (last - taken) + ")",
      [SymbolAsyncIterator]: () => ({
        async next() {
          const value = await queue.pop();
          return { value: value ?? undefined, done: value === null };
        },
        async return(value) { return { value, done: true }; },
      }),
    };
    kind(queue, () => ({ __proto__: null, refused: "a queue" }));
    return ObjectFreeze(queue);
  };
})
