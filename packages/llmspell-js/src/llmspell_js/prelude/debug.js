// `Debug`: what helps while a script is written. Its records go where the logger's do.
(function (use) {
  "use strict";
  const { ArrayAppended, ArraySlice, ObjectFreeze, StringC } = use("primordials");
  const { here } = use("errors");
  const { inspect } = use("inspect");
  const { LEVELS, NAMES, levelOf, lowest, record, setLevel, timer, timings } = use("logging");

  const MOST = 1000;
  let captured = [];

  function write(level, message, extra) {
    const logger = typeof extra === "string" ? extra : "debug";
    const fields = typeof extra === "object" && extra !== null ? extra : undefined;
    if (LEVELS[level] >= lowest()) {
      if (captured.length >= MOST) captured = ArraySlice(captured, 1);
      captured = ArrayAppended(captured, { level, message: inspect(message), logger, fields });
    }
    record(level, logger, message, fields);
  }

  const Debug = {
    __proto__: null,
    log(level, message, extra) {
      if (message === undefined) {
        message = level;
        level = "info";
      }
      levelOf(level);
      write(level, message, extra);
    },
    set_level: setLevel,
    get_level() {
      for (let i = 0; i < NAMES.length; i++) {
        if (LEVELS[NAMES[i]] === lowest()) return NAMES[i];
      }
      return "off";
    },
    is_enabled: (level) => levelOf(level ?? "debug") >= lowest(),
    get_captured_entries: (most = MOST) => ArraySlice(captured, -most),
    clear_captured_entries() { captured = []; },
    timer: (name) => timer(name),
    stack_trace: () => here(),
    // The engine cannot tell a script how much it has.
    memory_stats: () => ({ used_bytes: 0, used_kb: 0 }),
    // The value as readable text; also recorded when debug records are.
    dump(value, name) {
      const text = typeof value === "string" ? '"' + value + '"' : inspect(value);
      write("debug", name === undefined ? text : StringC(name) + " = " + text, undefined);
      return text;
    },
    performance_report() {
      const report = {};
      for (const name in timings) {
        report[name] = { ...timings[name], average_ms: timings[name].total_ms / timings[name].count };
      }
      return report;
    },
  };
  for (let i = 0; i < NAMES.length; i++) {
    Debug[NAMES[i]] = (message, extra) => write(NAMES[i], message, extra);
  }
  return ObjectFreeze(Debug);
})
