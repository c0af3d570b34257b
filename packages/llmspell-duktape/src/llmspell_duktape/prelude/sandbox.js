// What the script finds as globals, beside those of the host.
//
// `options.libraries` names what the profile allows; "all" is everything.
(function (use) {
  "use strict";
  var p = use("primordials");
  var options = use("options");
  var errors = use("errors");
  var encode = use("encode");
  var output = use("output");
  var globals = use("globals");
  var M = use("scheduler");
  var G = p.globals;

  var allowed = p.ObjectCreate(null), i;
  for (i = 0; i < (options.libraries || []).length; i++) allowed[options.libraries[i]] = true;
  function has(name) { return allowed.all || allowed[name] === true; }

  function hidden(owner, name, value) {
    p.ObjectDefineProperty(owner, name,
      { value: value, writable: true, enumerable: false, configurable: true });
  }

  // A global that is made when the script first names it.
  function lazy(name, make) {
    p.ObjectDefineProperty(G, name, {
      configurable: true,
      get: function () {
        var value = make();
        hidden(G, name, value);
        return value;
      },
      set: function (value) { hidden(G, name, value); },
    });
  }

  // what a spell does not have: all that is not named here --------------------------------------------

  var STAYS = "globalThis NaN Infinity undefined Object Function Array String Boolean Number Date "
    + "RegExp Error EvalError RangeError ReferenceError SyntaxError TypeError URIError Math JSON Proxy "
    + "Reflect Symbol ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array "
    + "Uint16Array Int32Array Uint32Array Float32Array Float64Array parseInt parseFloat eval isNaN "
    + "isFinite decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape"
    + (has("timers") ? " performance" : "") + (has("TextEncoder") ? " TextEncoder TextDecoder" : "");
  var stays = p.ObjectCreate(null), names = p.StringSplit(STAYS, " ");
  for (i = 0; i < names.length; i++) stays[names[i]] = true;
  names = p.ReflectOwnKeys(G);
  for (i = 0; i < names.length; i++) {
    if (!stays[names[i]]) delete G[names[i]];
  }

  // libraries ---------------------------------------------------------------------------------------

  hidden(G, "print", output.print);
  hidden(G, "stdout", output.stdout);
  hidden(G, "stderr", output.stderr);
  lazy("console", function () { return use("console"); });
  lazy("stdin", function () { return use("input"); });
  if (has("timers")) {
    p.StringSplit("setTimeout setInterval clearTimeout clearInterval", " ").forEach(function (name) {
      lazy(name, function () { return use("timers")[name]; });
    });
  }
  hidden(G, "require", function (name) { return use("modules").require(name); });

  var given = options.args || {}, positional = given.positional || [], named = given.named || {};
  var args = p.ObjectCreate(null);
  if (given.script !== undefined && given.script !== null) args[0] = given.script;
  for (i = 0; i < positional.length; i++) args[i + 1] = positional[i];
  names = p.ObjectKeys(named);
  for (i = 0; i < names.length; i++) args[names[i]] = named[names[i]];
  hidden(G, "args", args);
  hidden(G, "arg", args);
  hidden(G, "ARGS", args);

  function exitCode(code) {
    if (code === undefined || code === null || code === true) return 0;
    return code === false ? 1 : p.ParseInt(code) | 0;
  }

  var env = p.ObjectCreate(null), variables = p.ObjectKeys(options.env || {});
  for (i = 0; i < variables.length; i++) {
    var value = options.env[variables[i]];
    if (value !== null) env[variables[i]] = value;
  }
  lazy("process", function () {
    return {
      argv: ["llmspell", given.script || ""].concat(positional), env: env,
      stdin: use("input"), stdout: output.stdout, stderr: output.stderr,
      exit: function (code) {
        M.exit({
          code: "script.exit", message: "the script called process.exit", retryable: false,
          details: { code: exitCode(code) },
        });
      },
    };
  });

  if (options.seed) {
    var random;
    hidden(Math, "random", function () {
      random = random || use("random")(options.seed);
      return random();
    });
  }

  // JSON is the language's, with more -----------------------------------------------------------------

  function layout(how) {
    var indent = how, sorted = false;
    if (typeof how === "object" && how !== null) {
      var found = errors.checkOptions(how, ["pretty", "indent", "sort_keys"], "JSON.encode");
      indent = found.pretty === undefined ? found.indent : found.pretty;
      sorted = found.sort_keys === true;
    }
    if (indent === true) indent = 2;
    if (typeof indent === "number") indent = p.StringRepeat(" ", p.MathMin(p.MathMax(0, indent), 16));
    return { indent: typeof indent === "string" ? indent : "", sorted: sorted };
  }

  hidden(JSON, "encode", function (it, how) {
    var found = layout(how);
    return encode.stringify(it, found.indent, found.sorted);
  });
  hidden(JSON, "decode", function (text) { return p.JSONParse(text); });
  hidden(JSON, "array", function (list) { return list === undefined || list === null ? [] : list; });
  p.ObjectDefineProperty(JSON, "null", { value: null, enumerable: false, configurable: true });

  // globals of llmspell -------------------------------------------------------------------------------

  globals.declare(options.globals || []);
  globals.defineNative("Async");
  globals.defineNative("Logger");
  globals.defineNative("Debug");

  return { has: has };
})
