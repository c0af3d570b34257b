// Log records and timings: what `Logger` and `Debug` share. Records are handed over in batches.
(function (use) {
  "use strict";
  const { ObjectAssign, ObjectKeys, StringC, now } = use("primordials");
  const { emit } = use("calls");
  const { stringify } = use("encode");
  const { fail, nearest } = use("errors");
  const { withLogs } = use("output");
  const { inspect } = use("inspect");
  const { object } = use("objects");
  const options = use("options");

  const LEVELS = { __proto__: null, trace: 10, debug: 20, info: 30, warn: 40, error: 50, off: 100 };
  const NAMES = ["trace", "debug", "info", "warn", "error"];
  const MOST = 100;
  let lowest = LEVELS[options.log_level ?? "info"] ?? LEVELS.info;
  let correlation, records = "", count = 0;

  function flush() {
    if (count === 0) return;
    const text = records;
    records = "";
    count = 0;
    emit("L\t[" + text + "]");
  }

  function levelOf(name) {
    const level = typeof name === "string" ? LEVELS[name] : undefined;
    if (level === undefined) {
      fail("input.invalid", 'unknown log level "' + StringC(name) + '"', nearest(name, ObjectKeys(LEVELS)));
    }
    return level;
  }

  // Fields that cannot be written are written as their text: a log line never fails.
  function safeFields(fields) {
    const plain = { __proto__: null };
    const keys = ObjectKeys(fields);
    for (let i = 0; i < keys.length; i++) {
      try {
        stringify(fields[keys[i]], "", false);
        plain[keys[i]] = fields[keys[i]];
      } catch {
        plain[keys[i]] = inspect(fields[keys[i]]);
      }
    }
    return plain;
  }

  function record(level, logger, message, fields) {
    if (LEVELS[level] < lowest) return;
    const entry = { __proto__: null, level, message: inspect(message), logger, fields };
    let text;
    try {
      text = stringify(entry, "", false);
    } catch {
      entry.fields = safeFields(fields);
      text = stringify(entry, "", false);
    }
    records += (count++ > 0 ? "," : "") + text;
    withLogs(flush);
    if (count >= MOST) flush();
  }

  function merged(...given) {
    let all;
    for (let i = 0; i < given.length; i++) {
      let fields = given[i];
      if (fields === undefined || fields === null) continue;
      if (typeof fields !== "object") fields = { value: fields };
      all = ObjectAssign(all ?? { __proto__: null }, fields);
    }
    return all;
  }

  // timers ----------------------------------------------------------------------------------------

  const timings = { __proto__: null };

  function timer(label, onStop) {
    const name = StringC(label ?? "timer"), started = now();
    let last = started, stopped;
    return object("timer", name, {
      elapsed: () => (stopped ?? now()) - started,
      lap() {
        const ms = now() - last;
        last += ms;
        return ms;
      },
      stop() {
        if (stopped === undefined) {
          stopped = now();
          const ms = stopped - started;
          const entry = timings[name] ??= { count: 0, total_ms: 0, max_ms: 0 };
          entry.count++;
          entry.total_ms += ms;
          if (ms > entry.max_ms) entry.max_ms = ms;
          if (onStop) onStop(name, ms);
        }
        return stopped - started;
      },
    });
  }

  return {
    LEVELS, NAMES, levelOf, merged, record, timer, timings,
    lowest: () => lowest,
    correlation: () => correlation,
    setLevel(level) { lowest = levelOf(level); },
    setCorrelation(id) { correlation = id; },
  };
})
