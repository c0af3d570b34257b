// Log records and timings: what `Logger` and `Debug` share. Records are handed over in batches.
(function (use) {
  "use strict";
  const { ObjectAssign, ObjectKeys, StringC, StringSlice, now } = use("primordials");
  const { emit } = use("calls");
  const { stringify } = use("encode");
  const { fail, nearest } = use("errors");
  const { withLogs } = use("output");
  const { inspect } = use("inspect");
  const { object } = use("objects");
  const options = use("options");

  const LEVELS = { __proto__: null, trace: 10, debug: 20, info: 30, warn: 40, error: 50, off: 100 };
  const NAMES = ["trace", "debug", "info", "warn", "error"];
  const MOST = 100, BLOCK = 1 << 16;
  let lowest = LEVELS[options.log_level ?? "info"] ?? LEVELS.info;
  let correlation, records = "", count = 0;

  // The guest may call this wherever code branches or calls: `records` is all there is to be read,
  // and each begins with a comma.
  function flush() {
    const text = records;
    records = "";
    count = 0;
    if (text !== "") emit("L\t[" + StringSlice(text, 1) + "]");
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
        plain[keys[i]] = text(() => fields[keys[i]]);
      }
    }
    return plain;
  }

  // What cannot even be shown is said to be so.
  function text(read) {
    try {
      return StringSlice(inspect(read()), 0, BLOCK);
    } catch {
      return "what cannot be shown";
    }
  }

  function record(level, logger, message, fields) {
    if (LEVELS[level] < lowest) return;
    const name = typeof logger === "string" ? StringSlice(logger, 0, 64) : undefined;
    const entry = { __proto__: null, level, message: text(() => message), logger: name, fields };
    records += "," + written(entry);
    count++;
    withLogs(flush);
    if (count >= MOST || records.length > BLOCK) flush();
  }

  function written(entry) {
    try {
      return stringify(entry, "", false);
    } catch {
      entry.fields = safeFields(entry.fields);
    }
    try {
      return stringify(entry, "", false);
    } catch {
      entry.fields = { __proto__: null, left_out: "the fields are too large for a record" };
    }
    return stringify(entry, "", false);
  }

  function merged(...given) {
    let all;
    for (let i = 0; i < given.length; i++) {
      let fields = given[i];
      if (fields === undefined || fields === null) continue;
      if (typeof fields !== "object") fields = { value: fields };
      all ??= { __proto__: null };
      try {
        ObjectAssign(all, fields);
      } catch {
        all.fields = "what cannot be read";
      }
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
