// Text for the standard streams, and `print`.
//
// Output is collected and handed over before each host call and at the end of a turn, and while
// the script computes with the first text after 20 ms: the engine cannot be interrupted, so a
// script that is killed loses no more than that.
(function (use) {
  "use strict";
  var p = use("primordials");
  var proxies = use("proxies");
  var M = use("calls");
  var BLOCK = 65536, PATIENCE_MS = 20;

  var text = "", stream = "stdout", logs = null, handed = -PATIENCE_MS;

  function flush() {
    M.before = null;
    if (text !== "") {
      var block = text;
      text = "";
      M.emit("w\t" + stream + "\t" + p.JSONStringify(block));
    }
    if (logs) logs();
    var lost = proxies.takeLost();
    if (lost !== "") M.emit("D\t[" + lost + "]");
  }
  M.flush = flush;

  function handOver() {
    handed = p.now();
    try {
      if (M.current) {
        flush();
        M.emit("b\t" + (use("stacks").where() || ""));
        p.yieldOut(M.OUTPUT);
      }
    } catch (e) {
      // Where the task cannot yield, the text goes with the next that can.
    }
  }

  function put(name, more) {
    if (name !== stream) {
      if (text !== "") flush();
      stream = name;
    }
    text += more;
    M.before = flush;
    if (text.length > BLOCK || p.now() - handed >= PATIENCE_MS) handOver();
  }

  function shown(value) {
    return typeof value === "string" ? value : use("inspect").inspect(value);
  }

  function joined(args, separator) {
    var out = "";
    for (var i = 0; i < args.length; i++) out += (i > 0 ? separator : "") + shown(args[i]);
    return out;
  }

  function output(name) {
    var it = {
      write: function () {
        for (var i = 0; i < arguments.length; i++) put(name, p.StringC(arguments[i]));
        return it;
      },
      flush: function () { return it; },
      name: name,
      toString: function () { return "file (" + name + ")"; },
    };
    return p.ObjectFreeze(it);
  }

  return {
    flush: flush, joined: joined, put: put, stdout: output("stdout"), stderr: output("stderr"),
    // `print` separates by tabs on every engine; `console.log` by spaces, as everywhere.
    print: function () { put("stdout", joined(p.list(arguments), "\t") + "\n"); },
    // Has `take` called when output is handed over.
    withLogs: function (take) {
      logs = take;
      M.before = flush;
    },
  };
})
