// What the guest calls: one function of an operation, two numbers or values, and a text.
//
// Nothing may be thrown out of it: the wrapper would turn that into text by calling code of the
// script, without any limit. "!" and an error's fields say that the prelude itself failed.
(function (use) {
  "use strict";
  const {
    ArrayJoin, ErrorIsError, ErrorStack, JSONParse, MapC, MapDelete, MapGet, MapSet, PromiseThen,
    ReflectApply, StringIndexOf, SyntaxErrorC, adopt, evaluate,
  } = use("primordials");
  const errors = use("errors");
  const functions = use("functions");
  const { decode } = use("decode");
  const calls = use("calls");
  const scheduler = use("scheduler");
  const output = use("output");
  const { exchange } = use("natives");
  use("sandbox");
  const { open, settle } = scheduler;

  const awaitable = (value) => typeof value === "object" && value !== null && typeof value.then === "function";

  // The result of the main chunk: of a script that has none, only its end is waited for.
  function outcome(mode) {
    return (found) => {
      const { value } = found;
      if (mode === "eval") return value;
      return awaitable(value) ? PromiseThen(adopt(value), () => undefined) : undefined;
    };
  }

  // Errors of compiling, until the guest knows what else to try.
  const kept = new MapC();

  function compileError(e) {
    const isSyntax = ErrorIsError(e) && e instanceof SyntaxErrorC;
    if (!isSyntax) return "other";
    return e.message === "return not in a function" ? "return" : "syntax";
  }

  function failedToCompile(id) {
    const error = MapGet(kept, id);
    MapDelete(kept, id);
    const isSyntax = compileError(error) !== "other";
    const fields = errors.describe(error);
    if (isSyntax) {
      fields.code = "script.syntax";
      fields.message = error.message;
      // What only the text put around the source has made a mistake of: it ends too early.
      if (StringIndexOf(ErrorStack(error) ?? "", ":") >= 0) fields.source ??= errors.end();
      fields.stack = undefined;
    }
    scheduler.fail(id, errors.make(fields, ""));
  }

  // Without the C API: a script has no modules, and no `await` but in functions.
  function evaluated(id, source, mode) {
    let value;
    try {
      value = ReflectApply(evaluate, undefined, [source]);
    } catch (error) {
      if (compileError(error) === "other") return scheduler.fail(id, error);
      try {
        value = ReflectApply(evaluate, undefined, ["(async()=>{" + source + "\n})()"]);
        mode = "eval";
      } catch {
        MapSet(kept, id, error);
        return failedToCompile(id);
      }
    }
    return settle(id, { value }, outcome(mode));
  }

  function invoke(id, handle, text) {
    const fn = functions.get(handle);
    open(id);
    if (!fn) {
      scheduler.end(id, false,
        '{"code":"script.released","message":"this function was released","retryable":false}');
      return;
    }
    let value;
    try {
      value = ReflectApply(fn, undefined, decode(text));
    } catch (error) {
      scheduler.fail(id, error);
      return;
    }
    settle(id, value);
  }

  function unhandled(reason) {
    if (errors.is(reason) && reason.code === "cancelled") return;
    calls.emit("U\t" + errors.toJson(reason));
  }

  // A source, and how far its first line is moved to the right by what is put before it.
  function remember(shift, _, text) {
    const { name, source } = JSONParse(text);
    errors.remember(name, source, shift);
  }

  const operations = {
    __proto__: null,
    // runs, from the guest's evaluation
    open: (id, _, text) => {
      remember(0, 0, text);
      open(id);
    },
    evaluate: (id, _, text) => {
      const { source, mode } = JSONParse(text);
      evaluated(id, source, mode);
    },
    value: (id, promise, mode) => settle(id, promise, outcome(mode)),
    promise: (id, promise) => settle(id, promise),
    module: (id, promise, namespace) => settle(id, promise, () => namespace.default),
    failed: (id, error) => {
      MapSet(kept, id, error);
      return compileError(error);
    },
    syntax: failedToCompile,
    // from the host
    invoke,
    ok: (id, _, text) => answered(id, true, text),
    error: (id, _, text) => answered(id, false, text),
    cancel: scheduler.cancelReport,
    release: functions.release,
    // turns
    turn: scheduler.turn,
    drain: () => {
      output.flush();
      return calls.take();
    },
    place: () => errors.placeOf(errors.here()) ?? "",
    unhandled: (_, reason) => unhandled(reason),
    // what natives.js has asked for
    request: () => exchange.request,
    answer: (ok, _, text) => {
      exchange.ok = ok === 1;
      exchange.answer = text;
    },
    // modules
    remember,
    make: (_, __, text) => errors.make(JSONParse(text)),
    answers: (_, __, text) => {
      const { global, method } = JSONParse(text);
      return use("globals").answers(global, method) ? "1" : "";
    },
  };

  function answered(id, ok, text) {
    if (id !== calls.state.silence) scheduler.brokenSilence();
    calls.answered(id, ok, text);
  }

  return (operation, a, b, text) => {
    try {
      const result = operations[operation](a, b, text);
      if (result === undefined) return "";
      // The wrapper cannot return a string that is still in pieces.
      return typeof result === "string" ? ArrayJoin([result], "") : result;
    } catch (error) {
      return "!" + errors.toJson(error);
    }
  };
})
