// `Logger`: loggers with names, levels and fields.
(function (use) {
  "use strict";
  const { ObjectFreeze } = use("primordials");
  const { checkOptions } = use("errors");
  const { object } = use("objects");
  const {
    LEVELS, NAMES, correlation, levelOf, lowest, merged, record, setCorrelation, setLevel, timer,
  } = use("logging");

  // A function for each level.
  function levels(write) {
    const made = {};
    for (let i = 0; i < NAMES.length; i++) {
      made[NAMES[i]] = (message, fields) => { write(NAMES[i], message, fields); };
    }
    return made;
  }

  function batch(write) {
    const kept = { __proto__: null };
    let length = 0;
    return object("log_batch", "batch", {
      ...levels((level, message, fields) => { kept[length++] = { level, message, fields }; }),
      flush() {
        for (let i = 0; i < length; i++) write(kept[i].level, kept[i].message, kept[i].fields);
        length = 0;
      },
    });
  }

  function logger(settings) {
    const own = settings.level === undefined ? 0 : levelOf(settings.level);
    const write = (level, message, fields) => {
      if (LEVELS[level] < own) return;
      record(level, settings.name, message, merged(
        settings.fields, correlation() === undefined ? undefined : { correlation_id: correlation() }, fields));
    };
    const withContext = (fields) => logger({ ...settings, fields: merged(settings.fields, fields) });
    return object("logger", settings.name ?? "script", {
      ...levels(write),
      with_context: withContext,
      child(fields) {
        if (typeof fields !== "string") return withContext(fields);
        return logger({ ...settings, name: settings.name ? settings.name + "." + fields : fields });
      },
      timer: (name) => timer(name, (label, ms) => write("debug", label, { duration_ms: ms })),
      is_enabled_for(level) {
        const wanted = levelOf(level);
        return wanted >= own && wanted >= lowest();
      },
      batch: () => batch(write),
    });
  }

  const root = logger({});
  const Logger = {
    __proto__: null,
    new(settings) {
      if (typeof settings === "string") return logger({ name: settings });
      return logger({ ...checkOptions(settings, ["name", "level", "fields"], "Logger.new") });
    },
    set_level: setLevel,
    set_correlation_id: setCorrelation,
  };
  for (let i = 0; i < NAMES.length; i++) Logger[NAMES[i]] = root[NAMES[i]];

  return ObjectFreeze(Logger);
})
