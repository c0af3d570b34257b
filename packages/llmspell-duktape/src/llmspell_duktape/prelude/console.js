// `console`: log, info and debug write to the standard output, warn, error and trace to stderr.
(function (use) {
  "use strict";
  var p = use("primordials");
  var output = use("output");
  var indent = "";
  var counts = p.ObjectCreate(null), timers = p.ObjectCreate(null);

  function line(name, message) {
    if (indent !== "") message = indent + p.ArrayJoin(p.StringSplit(message, "\n"), "\n" + indent);
    output.put(name, message + "\n");
  }

  function write(name, args) {
    var formatted = typeof args[0] === "string" && args.length > 1;
    line(name, formatted ? use("inspect").formatted(args) : output.joined(args, " "));
  }

  function writer(name) {
    return function () { write(name, p.list(arguments)); };
  }
  var log = writer("stdout"), warn = writer("stderr");

  function label(value) { return value === undefined ? "default" : p.StringC(value); }

  function elapsed(name) {
    if (timers[name] === undefined) return name + ": no such timer";
    return name + ": " + p.NumberToFixed(p.now() - timers[name], 3) + " ms";
  }

  return {
    log: log, info: log, debug: log, warn: warn, error: warn, dir: log, table: log,
    trace: function () {
      warn("Trace: " + output.joined(p.list(arguments), " ") + "\n" + use("stacks").stack());
    },
    assert: function (holds) {
      if (!holds) {
        var rest = p.ArraySlice(p.list(arguments), 1);
        warn("Assertion failed" + (rest.length > 0 ? " " + output.joined(rest, " ") : ""));
      }
    },
    group: function () {
      if (arguments.length > 0) write("stdout", p.list(arguments));
      indent += "  ";
    },
    groupEnd: function () { indent = p.StringSlice(indent, 2); },
    count: function (name) {
      name = label(name);
      counts[name] = (counts[name] || 0) + 1;
      log(name + ": " + counts[name]);
    },
    countReset: function (name) { delete counts[label(name)]; },
    time: function (name) { timers[label(name)] = p.now(); },
    timeLog: function (name) { log(elapsed(label(name))); },
    timeEnd: function (name) {
      log(elapsed(label(name)));
      delete timers[label(name)];
    },
  };
})
