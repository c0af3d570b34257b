// `Logger`: records are collected and handed to the host in batches.
(function (use) {
  "use strict";
  var p = use("primordials");
  var errors = use("errors");
  var encode = use("encode");
  var output = use("output");
  var own = use("objects").own;

  var NAMES = ["trace", "debug", "info", "warn", "error"];
  var LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, off: 100 };
  var lowest = LEVELS[use("options").log_level || "info"] || LEVELS.info;
  var correlation, records = "", count = 0;
  var MOST = 100, BLOCK = 65536;

  function flush() {
    if (count === 0) return;
    use("calls").emit("L\t[" + records + "]");
    records = "";
    count = 0;
  }

  function levelOf(name) {
    if (typeof name === "string" && p.ObjectHasOwn(LEVELS, name)) return LEVELS[name];
    return errors.fail("input.invalid", 'unknown log level "' + p.StringC(name) + '"',
      errors.nearest(name, p.ObjectKeys(LEVELS)));
  }

  function text(entry) { return encode.stringify(entry, "", false); }

  // What cannot even be shown is said to be so.
  function shown(value) {
    try {
      return p.StringSlice(typeof value === "string" ? value : use("inspect").inspect(value), 0, BLOCK);
    } catch (e) {
      return "what cannot be shown";
    }
  }

  // Fields that cannot be written are written as their text: a log line never fails.
  function safeFields(fields) {
    var plain = p.ObjectCreate(null), keys = p.ObjectKeys(fields);
    for (var i = 0; i < keys.length; i++) {
      var value = fields[keys[i]];
      try {
        text(value);
        plain[keys[i]] = value;
      } catch (e) {
        plain[keys[i]] = shown(value);
      }
    }
    return plain;
  }

  function written(entry) {
    try {
      return text(entry);
    } catch (e) {
      entry.fields = safeFields(entry.fields);
    }
    try {
      return text(entry);
    } catch (again) {
      entry.fields = { left_out: "the fields are too large for a record" };
    }
    return text(entry);
  }

  function record(level, logger, message, fields) {
    if (LEVELS[level] < lowest) return;
    var name = typeof logger === "string" ? p.StringSlice(logger, 0, 64) : undefined;
    var entry = { level: level, message: shown(message), logger: name, fields: fields };
    records += (count > 0 ? "," : "") + written(entry);
    count++;
    output.withLogs(flush);
    if (count >= MOST || records.length > BLOCK) flush();
  }

  function merged(list) {
    var all;
    for (var i = 0; i < list.length; i++) {
      var fields = list[i];
      if (fields === undefined || fields === null) continue;
      if (typeof fields !== "object") fields = { value: fields };
      all = all || p.ObjectCreate(null);
      try {
        copy(fields, all);
      } catch (e) {
        all.fields = "what cannot be read";
      }
    }
    return all;
  }

  function copy(from, to) {
    var keys = p.ObjectKeys(from);
    for (var i = 0; i < keys.length; i++) to[keys[i]] = from[keys[i]];
  }

  // A function for each level.
  function levels(write) {
    var made = {};
    function add(level) {
      made[level] = function (message, fields) { write(level, message, fields); };
    }
    for (var i = 0; i < NAMES.length; i++) add(NAMES[i]);
    return made;
  }

  function batch(write) {
    var kept = p.array();
    var methods = levels(function (level, message, fields) {
      kept[kept.length] = [level, message, fields];
    });
    methods.flush = function () {
      var list = kept;
      kept = p.array();
      for (var i = 0; i < list.length; i++) write(list[i][0], list[i][1], list[i][2]);
    };
    return own("log_batch", methods);
  }

  function logger(settings) {
    var least = settings.level ? levelOf(settings.level) : 0;
    function write(level, message, fields) {
      if (LEVELS[level] < least) return;
      var context = correlation === undefined ? undefined : { correlation_id: correlation };
      record(level, settings.name, message, merged([settings.fields, context, fields]));
    }
    var methods = levels(write);
    methods.with_context = function (fields) {
      return logger({
        name: settings.name, level: settings.level, fields: merged([settings.fields, fields]),
      });
    };
    methods.child = function (fields) {
      if (typeof fields !== "string") return methods.with_context(fields);
      var name = settings.name ? settings.name + "." + fields : fields;
      return logger({ name: name, level: settings.level, fields: settings.fields });
    };
    methods.timer = function (name) {
      return use("debug_timers").timer(name, function (label, ms) {
        write("debug", label, { duration_ms: ms });
      });
    };
    methods.is_enabled_for = function (level) {
      var wanted = levelOf(level);
      return wanted >= least && wanted >= lowest;
    };
    methods.batch = function () { return batch(write); };
    return own("logger(" + (settings.name || "script") + ")", methods);
  }

  var Logger = p.ObjectCreate(null), root = logger({});
  for (var i = 0; i < NAMES.length; i++) Logger[NAMES[i]] = root[NAMES[i]];
  Logger["new"] = function (settings) {
    if (typeof settings === "string") settings = { name: settings };
    return logger(errors.checkOptions(settings, ["name", "level", "fields"], "Logger.new"));
  };
  Logger.set_level = function (level) { lowest = levelOf(level); };
  Logger.set_correlation_id = function (id) { correlation = id === null ? undefined : id; };

  // For debug.js, and not shown.
  p.ObjectDefineProperty(Logger, "inner", {
    value: p.ObjectFreeze({
      names: p.ObjectFreeze(NAMES), levels: p.ObjectFreeze(LEVELS), levelOf: levelOf, record: record,
      lowest: function () { return lowest; },
    }),
  });
  return Logger;
})
