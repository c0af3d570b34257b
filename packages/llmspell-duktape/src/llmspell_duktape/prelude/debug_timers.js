// The timers of `Logger` and `Debug`, and what they have measured.
(function (use) {
  "use strict";
  var p = use("primordials");
  var own = use("objects").own;
  var timings = p.ObjectCreate(null);

  function note(name, ms) {
    var entry = timings[name];
    if (!entry) entry = timings[name] = { count: 0, total_ms: 0, max_ms: 0 };
    entry.count++;
    entry.total_ms += ms;
    if (ms > entry.max_ms) entry.max_ms = ms;
  }

  function timer(label, onStop) {
    var name = label === undefined || label === null ? "timer" : p.StringC(label);
    var started = p.now(), last = started, stopped = null;
    return own("timer(" + name + ")", {
      elapsed: function () { return (stopped === null ? p.now() : stopped) - started; },
      lap: function () {
        var now = p.now(), ms = now - last;
        last = now;
        return ms;
      },
      stop: function () {
        if (stopped === null) {
          stopped = p.now();
          note(name, stopped - started);
          if (onStop) onStop(name, stopped - started);
        }
        return stopped - started;
      },
    });
  }

  function report() {
    var found = {}, names = p.ObjectKeys(timings);
    for (var i = 0; i < names.length; i++) {
      var entry = timings[names[i]];
      found[names[i]] = {
        count: entry.count, total_ms: entry.total_ms, max_ms: entry.max_ms,
        average_ms: entry.total_ms / entry.count,
      };
    }
    return found;
  }

  return { report: report, timer: timer };
})
