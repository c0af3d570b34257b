// What the script finds as globals, beside those of the host.
//
// `options.libraries` names what the profile allows; "all" is everything.
(function (use) {
  "use strict";
  const {
    ErrorC, ErrorStack, InternalErrorPrototype, NumberParseInt, ObjectDefineProperty, ObjectKeys,
    PromiseC, PromisePrototype, PromiseResolve, PromiseThen, RangeErrorC, StringSlice, SymbolIterator,
    SymbolSpecies, TypeErrorC, globals, put,
  } = use("primordials");
  const options = use("options");
  const errors = use("errors");
  const { stringify } = use("encode");
  const { exit } = use("natives");
  const { guarded } = use("scheduler");
  const output = use("output");
  const { declare, defineNative } = use("globals");

  const allowed = { __proto__: null };
  for (let i = 0; i < (options.libraries ?? []).length; i++) allowed[options.libraries[i]] = true;
  const has = (name) => allowed.all || allowed[name];

  const hidden = (owner, name, value) => put(owner, name, value, false);

  // A global that is made when the script first names it.
  function lazy(name, make) {
    ObjectDefineProperty(globals, name, {
      __proto__: null,
      configurable: true,
      get() {
        const value = make();
        hidden(globals, name, value);
        return value;
      },
      set(value) { hidden(globals, name, value); },
    });
  }

  // errors that the guest has turned into text -----------------------------------------------------

  // The wrapper reads these of an error that ends the script, when nothing limits it any more. An
  // accessor: a subclass may still assign its own, which plain read-only data would not allow.
  function lock(owner, name, get) {
    ObjectDefineProperty(owner, name, {
      get, configurable: false,
      set(value) { if (this !== owner) hidden(this, name, value); },
    });
  }

  const { toString } = ErrorC.prototype;
  lock(ErrorC.prototype, "toString", () => toString);
  const stack = { get() { return ErrorStack(this); } }.get;
  const lockAll = (owner, name) => {
    lock(owner, "toString", () => toString);
    lock(owner, "name", () => name);
    lock(owner, "message", () => "");
    lock(owner, "stack", stack);
    ObjectDefineProperty(owner, Symbol.toPrimitive, { value: undefined, configurable: false });
  };
  lockAll(InternalErrorPrototype, "InternalError");
  lockAll(RangeErrorC.prototype, "RangeError");
  ErrorC.stackTraceLimit = 25;
  const fixed = (name, value) => ObjectDefineProperty(ErrorC, name, { value, writable: false, configurable: false });
  fixed("prepareStackTrace", undefined);
  fixed("stackTraceLimit", 25);

  // promises: what the language looks up in each one that is awaited ---------------------------------

  ObjectDefineProperty(PromisePrototype, "constructor", { value: PromiseC, writable: false, configurable: false });
  ObjectDefineProperty(PromiseC, SymbolSpecies, { configurable: false });

  // what a spell does not have ----------------------------------------------------------------------

  const GONE = ["SharedArrayBuffer", "Atomics", "WebAssembly", "queueMicrotask"];
  const IN = { atob: "TextEncoder", btoa: "TextEncoder", performance: "timers", DOMException: "timers" };
  for (let i = 0; i < GONE.length; i++) delete globals[GONE[i]];
  const native = ObjectKeys(IN);
  for (let i = 0; i < native.length; i++) {
    if (!has(IN[native[i]])) delete globals[native[i]];
  }

  // libraries ---------------------------------------------------------------------------------------

  hidden(globals, "console", output.console);
  hidden(globals, "print", output.print);
  hidden(globals, "stdout", output.stdout);
  hidden(globals, "stderr", output.stderr);
  lazy("stdin", () => use("input"));

  if (has("timers")) {
    const names = ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"];
    for (let i = 0; i < names.length; i++) lazy(names[i], () => use("timers")[names[i]]);
    hidden(globals, "queueMicrotask", (run) => {
      if (typeof run !== "function") throw new TypeErrorC("queueMicrotask takes a function");
      PromiseThen(PromiseResolve(), () => guarded(run));
    });
    lazy("AbortController", () => use("abort").AbortController);
    lazy("AbortSignal", () => use("abort").AbortSignal);
    lazy("structuredClone", () => use("clone").structuredClone);
  }
  if (has("TextEncoder")) {
    lazy("TextEncoder", () => use("encoding").TextEncoder);
    lazy("TextDecoder", () => use("encoding").TextDecoder);
  }
  if (has("URL")) {
    lazy("URL", () => use("url").URL);
    lazy("URLSearchParams", () => use("search_params").URLSearchParams);
  }

  const { positional = [], named = {}, script } = options.args ?? {};
  const args = { __proto__: null };
  if (script !== undefined && script !== null) args[0] = script;
  for (let i = 0; i < positional.length; i++) args[i + 1] = positional[i];
  const names = ObjectKeys(named);
  for (let i = 0; i < names.length; i++) args[names[i]] = named[names[i]];
  hidden(args, SymbolIterator, () => positional[SymbolIterator]());
  const ARGS = ["args", "arg", "ARGS"];
  for (let i = 0; i < ARGS.length; i++) hidden(globals, ARGS[i], args);

  function exitCode(code) {
    if (code === undefined || code === null || code === true) return 0;
    return code === false ? 1 : NumberParseInt(code) | 0;
  }

  const env = { __proto__: null };
  const variables = ObjectKeys(options.env ?? {});
  for (let i = 0; i < variables.length; i++) {
    const value = options.env[variables[i]];
    if (value !== null) env[variables[i]] = value;
  }
  lazy("process", () => ({
    argv: ["llmspell", script ?? "", ...positional], env, stdout: output.stdout, stderr: output.stderr,
    stdin: use("input"), exit: (code) => exit(exitCode(code)),
  }));

  if (options.seed) {
    let random;
    Math.random = { random: () => (random ??= use("random")(options.seed))() }.random;
  }

  // JSON is the language's, with more -------------------------------------------------------------

  const LAYOUT = ["pretty", "indent", "sort_keys"];
  function layout(how) {
    let indent = how, sorted = false;
    if (typeof how === "object" && how !== null) {
      const given = errors.checkOptions(how, LAYOUT, "JSON.encode");
      indent = given.pretty ?? given.indent;
      sorted = given.sort_keys === true;
    }
    if (indent === true) indent = 2;
    if (typeof indent === "number") indent = StringSlice("                ", 0, indent);
    return { indent: typeof indent === "string" ? indent : "", sorted };
  }

  hidden(JSON, "encode", (value, how) => {
    const { indent, sorted } = layout(how);
    return stringify(value, indent, sorted);
  });
  hidden(JSON, "decode", JSON.parse);
  hidden(JSON, "array", (list) => list ?? []);
  ObjectDefineProperty(JSON, "null", { value: null, enumerable: false, configurable: true });

  // globals of llmspell ----------------------------------------------------------------------------

  const heads = options.globals ?? [];
  const shown = { __proto__: null };
  let count = 0;
  for (let i = 0; i < heads.length; i++) {
    if (heads[i].name !== "JSON") shown[count++] = heads[i];
  }
  shown.length = count;
  declare(shown);
  const own = ["Async", "Logger", "Debug"];
  for (let i = 0; i < own.length; i++) defineNative(own[i]);

  return { has };
})
