// The `Debug` global.
(function (use) {
  "use strict";
  var p = use("primordials");
  var Logger = use("logger");
  var log = Logger.inner;
  var timers = use("debug_timers");
  var captured = p.array(), MOST = 1000;
  var Debug = p.ObjectCreate(null);

  function record(level, message, extra) {
    var name = typeof extra === "string" ? extra : "debug";
    var fields = typeof extra === "object" && extra !== null ? extra : undefined;
    if (log.levels[level] >= log.lowest()) {
      if (captured.length >= MOST) captured = p.ObjectSetPrototypeOf(p.ArraySlice(captured, 1), null);
      var text = typeof message === "string" ? message : use("inspect").inspect(message);
      captured[captured.length] = { level: level, message: text, logger: name, fields: fields };
    }
    log.record(level, name, message, fields);
  }

  function writer(level) {
    return function (message, extra) { record(level, message, extra); };
  }
  for (var i = 0; i < log.names.length; i++) Debug[log.names[i]] = writer(log.names[i]);

  Debug.log = function (level, message, extra) {
    if (message === undefined) {
      message = level;
      level = "info";
    }
    log.levelOf(level);
    record(level, message, extra);
  };
  Debug.set_level = Logger.set_level;
  Debug.get_level = function () {
    for (var name in log.levels) {
      if (log.levels[name] === log.lowest()) return name;
    }
    return "off";
  };
  Debug.is_enabled = function (level) {
    return log.levelOf(level === undefined ? "debug" : level) >= log.lowest();
  };
  Debug.get_captured_entries = function (most) {
    var from = most === undefined ? 0 : p.MathMax(0, captured.length - most);
    return p.ArraySlice(captured, from);
  };
  Debug.clear_captured_entries = function () { captured = p.array(); };
  Debug.timer = function (name) { return timers.timer(name); };
  Debug.performance_report = timers.report;
  Debug.stack_trace = function () { return use("stacks").stack(); };
  // The engine keeps no account of its memory.
  // The engine counts nothing, and the declared figures are numbers.
  Debug.memory_stats = function () { return { used_bytes: 0, used_kb: 0 }; };
  // The value as readable text; also recorded when debug records are.
  Debug.dump = function (value, name) {
    var text = use("inspect").inspect(value);
    record("debug", name === undefined ? text : p.StringC(name) + " = " + text);
    return text;
  };

  return Debug;
})
