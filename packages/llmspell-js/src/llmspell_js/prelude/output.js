// Text for the standard streams, `print` and `console`.
//
// Output is collected and handed over in blocks: before each host call, at the end of a turn, and
// by the guest's clock when a script computes for long.
(function (use) {
  "use strict";
  const {
    ArrayJoin, JSONStringify, MapC, MapDelete, MapGet, MapSet, ReflectApply, StringC, StringRepeat,
    StringSplit, now,
  } = use("primordials");
  const { emit, state } = use("calls");
  const BLOCK = 1 << 16;

  let text = "", stream = "stdout", logs = null;

  function flush() {
    if (text !== "") {
      const block = text;
      text = "";
      emit("w\t" + stream + "\t" + JSONStringify(block));
    }
    if (logs) logs();
    state.before = null;
  }

  function put(name, more) {
    if (name !== stream) {
      if (text !== "") flush();
      stream = name;
    }
    text += more;
    state.before = flush;
    if (text.length > BLOCK) flush();
  }

  // Has `take` called when output is handed over.
  function withLogs(take) {
    logs = take;
    state.before = flush;
  }

  const shown = (value) => (typeof value === "string" ? value : use("inspect").inspect(value));

  // `print` separates by tabs on every engine; `console.log` by spaces, as everywhere.
  function joined(args, separator) {
    if (args.length === 1) return shown(args[0]);
    let out = "";
    for (let i = 0; i < args.length; i++) out += (i > 0 ? separator : "") + shown(args[i]);
    return out;
  }

  function print(...args) {
    put("stdout", joined(args, "\t") + "\n");
  }

  // console ---------------------------------------------------------------------------------------

  let indent = "";
  const counts = new MapC(), timers = new MapC();

  function line(name, message) {
    if (indent !== "") message = indent + ArrayJoin(StringSplit(message, "\n"), "\n" + indent);
    put(name, message + "\n");
  }

  const writer = (name) => (...args) => line(name,
    typeof args[0] === "string" && args.length > 1 ? use("inspect").formatted(args) : joined(args, " "));
  const log = writer("stdout"), warn = writer("stderr");
  const elapsed = (label) => {
    const started = MapGet(timers, label);
    return started === undefined ? label + ": no such timer" : label + ": " + ((now() - started).toFixed(3)) + " ms";
  };
  const console = {
    log, info: log, debug: log, warn, error: warn,
    trace(...args) {
      warn("Trace: " + joined(args, " ") + "\n" + use("errors").here());
    },
    assert(holds, ...args) {
      if (!holds) ReflectApply(warn, undefined, ["Assertion failed", ...args]);
    },
    dir: (value) => log(value),
    table: (value) => log(value),
    group(...args) {
      if (args.length > 0) ReflectApply(log, undefined, args);
      indent += "  ";
    },
    groupEnd() { indent = StringRepeat(" ", indent.length - 2 > 0 ? indent.length - 2 : 0); },
    count(label = "default") {
      const name = StringC(label), count = (MapGet(counts, name) ?? 0) + 1;
      MapSet(counts, name, count);
      log(name + ": " + count);
    },
    countReset(label = "default") { MapDelete(counts, StringC(label)); },
    time(label = "default") { MapSet(timers, StringC(label), now()); },
    timeLog(label = "default") { log(elapsed(StringC(label))); },
    timeEnd(label = "default") {
      log(elapsed(StringC(label)));
      MapDelete(timers, StringC(label));
    },
  };
  console.groupCollapsed = console.group;

  // the streams -----------------------------------------------------------------------------------

  function output(name) {
    const it = {
      write(...args) {
        for (let i = 0; i < args.length; i++) put(name, typeof args[i] === "string" ? args[i] : StringC(args[i]));
        return it;
      },
      flush: () => it,
    };
    return it;
  }

  return { console, flush, print, put, withLogs, stdout: output("stdout"), stderr: output("stderr") };
})
