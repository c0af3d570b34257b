// setTimeout, setInterval, setImmediate and their ends, on the host's clock.
(function (use) {
  "use strict";
  const { MapC, MapDelete, MapGet, MapSet, NumberC, ReflectApply, TypeErrorC } = use("primordials");
  const { drop, sleep } = use("calls");
  const { guarded } = use("scheduler");

  const timers = new MapC();           // number -> { call }
  let last = 0;

  function start(id, timer) {
    timer.call = sleep(timer.ms, () => {
      if (!timer.again) MapDelete(timers, id);
      guarded(() => ReflectApply(timer.run, undefined, timer.args));
      if (timer.again && MapGet(timers, id)) guarded(() => start(id, timer));
    });
  }

  function create(run, ms, args, again) {
    if (typeof run !== "function") throw new TypeErrorC("a timer takes a function");
    const number = NumberC(ms);
    const id = ++last;
    const timer = { run, args, again, call: 0, ms: number > 0 ? number : 0 };
    if (again && timer.ms < 1) timer.ms = 1;
    MapSet(timers, id, timer);
    start(id, timer);
    return id;
  }

  function clear(id) {
    const timer = MapGet(timers, id);
    if (!timer) return;
    MapDelete(timers, id);
    drop(timer.call);
  }

  return {
    setTimeout: (run, ms, ...args) => create(run, ms, args, false),
    setInterval: (run, ms, ...args) => create(run, ms, args, true),
    setImmediate: (run, ...args) => create(run, 0, args, false),
    clearTimeout: clear, clearInterval: clear, clearImmediate: clear,
  };
})
