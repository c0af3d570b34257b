// setTimeout, setInterval and their ends: tasks that sleep first.
(function (use) {
  "use strict";
  var p = use("primordials");
  var M = use("scheduler");
  var running = p.ObjectCreate(null), last = 0;

  function create(args, again) {
    var fn = args[0], ms = +args[1] > 0 ? +args[1] : 0, id = ++last;
    if (typeof fn !== "function") throw new p.TypeErrorC("a timer takes a function");
    if (again && ms < 1) ms = 1;
    var given = p.ArraySlice(args, 2);
    running[id] = M.spawn(function () {
      do {
        M.call(M.SLEEP, "sleep", [ms]);
        if (!again) delete running[id];
        p.ReflectApply(fn, undefined, given);
      } while (running[id]);
    }, []);
    return id;
  }

  function clear(id) {
    var task = running[id];
    if (!task) return;
    delete running[id];
    task.seen = true;
    // A timer that clears itself runs to its end.
    if (task !== M.current) M.cancel(task);
  }

  return {
    setTimeout: function () { return create(p.list(arguments), false); },
    setInterval: function () { return create(p.list(arguments), true); },
    clearTimeout: clear, clearInterval: clear,
  };
})
