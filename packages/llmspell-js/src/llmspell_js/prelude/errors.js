// Error objects, and where in the script something happened.
//
// What the host raises becomes an `LLMSpellError`: an Error with code, hint, details, retryable and
// source. What the script throws itself stays what it is until it leaves the script (`describe`).
(function (use) {
  "use strict";
  const {
    ErrorC, ErrorStack, JSONStringify, MapC, MapGet, MapSet, MathMax, MathMin, ObjectAssign,
    ObjectDefineProperty, ObjectFreeze, ObjectHasOwn, ObjectKeys, RegExpExec, StringC, StringCharCodeAt,
    StringIndexOf, StringSlice, StringSplit, StringStartsWith, SymbolDescription, put,
  } = use("primordials");

  // Scripts and modules by name: their text, and how far their first line was moved to the right.
  const sources = new MapC();
  let latest = "";

  function remember(name, text, shift) {
    MapSet(sources, name, { text, shift, rows: 0 });
    latest = name;
  }

  // Without file names, the lines of the prelude begin here.
  const OURS = 100000;
  const FRAME = /^\s*at (?:(.*) \()?(.*?):(\d+)(?::(\d+))?\)?\s*$/;

  // A line of a stack as `at f (spell.js:2:5)` or `at spell.js:2:5`; "" for what is not the script's.
  function frame(line) {
    const found = RegExpExec(FRAME, line);
    if (!found || StringStartsWith(found[2], "llmspell:")) return "";
    const row = +found[3];
    let file = found[2], column = +(found[4] ?? 1);
    if (file === "<input>") {
      if (row >= OURS) return "";
      file = latest;
    }
    const source = MapGet(sources, file);
    if (source?.shift) {
      source.rows = source.rows || StringSplit(source.text, "\n").length;
      if (row > source.rows) return "";
      if (row === 1) column -= source.shift;
    }
    const place = file + ":" + row + ":" + column;
    return found[1] === undefined || found[1] === "<eval>" ? "at " + place : "at " + found[1] + " (" + place + ")";
  }

  // The frames of the script and its modules.
  function cleaned(stack) {
    const lines = StringSplit(stack, "\n");
    let text = "";
    for (let i = 0; i < lines.length; i++) {
      const one = frame(lines[i]);
      if (one !== "") text += (text === "" ? "" : "\n") + one;
    }
    return text;
  }

  // The position of the first frame: `[name, line, column]`, or null.
  function position(stack) {
    const end = StringIndexOf(stack, "\n");
    const found = RegExpExec(FRAME, end < 0 ? stack : StringSlice(stack, 0, end));
    return found && [found[2], +found[3], +(found[4] ?? 1)];
  }

  // `spell.js:2`, or undefined.
  function placeOf(stack) {
    const found = position(stack);
    return found ? found[0] + ":" + found[1] : undefined;
  }

  const here = () => cleaned(ErrorStack(new ErrorC()));

  class LLMSpellError extends ErrorC {
    #made = true;

    // Asks for a private field: no trap of a script's Proxy runs, as one would for its prototype.
    static made(e) { return typeof e === "object" && e !== null && #made in e; }

    // Explicit: the implied one passes its arguments on by way of the script's iterators.
    constructor() { super(); }

    toString() {
      const { message, source } = this;
      return source === undefined ? StringC(message) : source + ": " + message;
    }
  }
  ObjectDefineProperty(LLMSpellError.prototype, "name", { value: "LLMSpellError" });
  ObjectFreeze(LLMSpellError.prototype);
  ObjectFreeze(LLMSpellError);

  const FIELDS = ["message", "code", "hint", "details", "retryable", "source"];

  // An error object of these fields; `stack` is where the script called, by default here.
  function make(fields, stack) {
    const e = new LLMSpellError();
    fields = ObjectAssign({ __proto__: null }, fields);
    const trace = fields.stack ?? stack ?? cleaned(ErrorStack(e));
    for (let i = 0; i < FIELDS.length; i++) {
      const key = FIELDS[i];
      const value = key === "source" ? fields.source ?? placeOf(trace) : fields[key] ?? undefined;
      if (value === undefined) continue;
      put(e, key, value);
    }
    return put(e, "stack", trace, false);
  }

  function fail(code, message, hint) {
    throw make({ code, message, hint, retryable: false });
  }

  const is = LLMSpellError.made;

  const NO_MEMORY = { __proto__: null, code: "script.memory_limit", message: "the script used up its memory" };

  // describing ------------------------------------------------------------------------------------

  function primitive(value) {
    if (typeof value !== "symbol") return StringC(value);
    return "Symbol(" + (SymbolDescription(value) ?? "") + ")";
  }

  // A property of what was thrown, when it can be read at all.
  function read(e, key) {
    try {
      return e?.[key];
    } catch {
      return undefined;
    }
  }

  function textIn(e, key) {
    const value = read(e, key);
    return typeof value === "string" ? value : undefined;
  }

  // `.bc is not a function` instead of `not a function`: the engine leaves the name out.
  function named(message, stack) {
    const at = message === "not a function" && position(stack);
    const source = at && MapGet(sources, at[0]);
    if (!source) return message;
    const line = StringSplit(source.text, "\n", at[1])[at[1] - 1] ?? "";
    // The position is that of the name, or of the dot before it.
    const found = RegExpExec(/^\.?\s*([\w$]+)/, StringSlice(line, at[2] - 1));
    if (!found) return message;
    const isMember = found[0][0] === "." || line[at[2] - 2] === ".";
    return (isMember ? "." : "") + found[1] + " is " + message;
  }

  // The fields that leave the script. Reads properties, so it may run code of the script.
  function describe(e) {
    if (typeof e === "function") return { __proto__: null, message: "a function was thrown", code: "script.error" };
    if (typeof e !== "object" || e === null) {
      const message = primitive(e);
      if (message === "[uninitialized]" && typeof e !== "string") {
        // No value of a script: a C function failed without memory, and threw nothing.
        return { __proto__: null, ...NO_MEMORY };
      }
      return { __proto__: null, message, code: "script.error", retryable: false };
    }
    const native = ErrorStack(e);
    const own = is(e);
    const stack = own ? textIn(e, "stack") ?? "" : cleaned(native ?? textIn(e, "stack") ?? "");
    let message = textIn(e, "message");
    if (message === undefined) message = native === undefined ? unnamed(e) : "";
    const name = textIn(e, "name") ?? "Error";
    if (native !== undefined && !own) {
      message = named(message, stack);
      if (name !== "Error") message = message === "" ? name : name + ": " + message;
    }
    const details = read(e, "details");
    const noMemory = message === "InternalError: out of memory";
    return {
      __proto__: null,
      message,
      code: textIn(e, "code") ?? (noMemory ? "script.memory_limit" : "script.error"),
      hint: textIn(e, "hint"),
      details: typeof details === "object" && details !== null ? details : undefined,
      retryable: read(e, "retryable") === true,
      source: textIn(e, "source") ?? placeOf(stack),
      stack: stack === "" ? undefined : stack,
    };
  }

  function unnamed(e) {
    try {
      return JSONStringify(e) ?? "an object was thrown";
    } catch {
      return "an object was thrown";
    }
  }

  // The fields as JSON text, whatever they hold: bad details must not hide the error.
  function toJson(e) {
    const { encode } = use("encode");
    let fields;
    try {
      fields = describe(e);
      return encode(fields);
    } catch (broken) {
      fields ??= { __proto__: null, message: "an error that cannot be described", code: "script.error" };
      // `null` is the script's own, or the engine's without memory for an error: the host can tell.
      fields.details = broken === null ? { __proto__: null, lost: "null" } : undefined;
      fields.stack = undefined;
      fields.message = StringSlice(fields.message, 0, 1000);
      // What used up the memory while it was described ends the script as it does elsewhere.
      if (textIn(broken, "message") === "out of memory") {
        ObjectAssign(fields, NO_MEMORY);
      }
      return encode(fields);
    }
  }

  // did you mean ----------------------------------------------------------------------------------

  function distance(a, b) {
    const row = { __proto__: null };
    for (let j = 0; j <= b.length; j++) row[j] = j;
    for (let i = 1; i <= a.length; i++) {
      let diagonal = row[0];
      row[0] = i;
      for (let j = 1; j <= b.length; j++) {
        const same = StringCharCodeAt(a, i - 1) === StringCharCodeAt(b, j - 1);
        const best = MathMin(row[j] + 1, row[j - 1] + 1, diagonal + (same ? 0 : 1));
        diagonal = row[j];
        row[j] = best;
      }
    }
    return row[b.length];
  }

  // `did you mean "x"?` for the nearest of these names, or undefined.
  function nearest(name, known) {
    let best, least;
    if (typeof name !== "string" || name.length > 64) return undefined;
    for (let i = 0; i < known.length; i++) {
      const d = distance(name, known[i]);
      if (d > MathMax(2, name.length / 3)) continue;
      if (least === undefined || d < least || (d === least && known[i] < best)) {
        best = known[i];
        least = d;
      }
    }
    return best === undefined ? undefined : 'did you mean "' + best + '"?';
  }

  // Refuses options that are not known; gives them in snake_case.
  function checkOptions(given, known, what) {
    const { snake } = use("spelling");
    const found = { __proto__: null };
    if (given === undefined || given === null) return found;
    if (typeof given !== "object") {
      fail("input.invalid", what + " takes an object of options, not a " + (typeof given));
    }
    const keys = ObjectKeys(given);
    for (let i = 0; i < keys.length; i++) {
      const name = snake(keys[i]);
      let fits = false;
      for (let j = 0; j < known.length; j++) fits = fits || known[j] === name;
      if (ObjectHasOwn(found, name)) {
        fail("input.invalid", what + ': "' + name + '" is given twice, in both spellings: give one');
      }
      if (!fits) fail("input.invalid", what + ': unknown option "' + keys[i] + '"', nearest(name, known));
      found[name] = given[keys[i]];
    }
    return found;
  }

  // Where the source that was given last ends.
  const end = () => latest + ":" + (StringSplit(MapGet(sources, latest).text, "\n").length);

  return {
    LLMSpellError, checkOptions, cleaned, describe, end, fail, here, is, make, nearest, placeOf, remember,
    toJson,
  };
})
