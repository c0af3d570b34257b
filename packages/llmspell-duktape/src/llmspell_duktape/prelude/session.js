// What the guest module calls: operations of the host, each followed by a turn.
(function (use) {
  "use strict";
  var p = use("primordials");
  var options = use("options");
  var errors = use("errors");
  var encode = use("encode");
  var decode = use("decode").decode;
  var functions = use("functions");
  var M = use("scheduler");
  var compiler = use("compile");
  use("sandbox");
  use("arrays");

  var limits = options.limits || {};
  if (limits.tasks > 0) M.maxTasks = limits.tasks;

  // How a run or an invocation has ended.
  M.reported = function (task) {
    if (M.before) M.before();
    var ok = task.ok, text = task.failure;
    if (ok) {
      try {
        text = encode.encode(task.value);
      } catch (e) {
        ok = false;
        text = errors.toJson(e);
      }
    } else if (text === "") {
      text = errors.toJson(task.value);
    }
    M.emit("R\t" + task.report + "\t" + (ok ? 1 : 0) + "\t" + text);
  };

  function failed(id, error) {
    M.emit("R\t" + id + "\t0\t" + errors.toJson(error));
  }

  function call(fn, text) { return p.ReflectApply(fn, undefined, decode(text)); }

  var operations = p.ObjectCreate(null);

  operations.run = function (id, source, name, mode) {
    var fn;
    try {
      fn = mode === "eval" ? use("repl").compile(source, name) : compiler.compile(source, name, "");
    } catch (e) {
      return failed(id, e);
    }
    return M.start(id, mode, fn, []);
  };

  operations.invoke = function (id, handle, text) {
    var fn = functions.get(handle);
    if (fn) return M.start(id, "invoke", call, [fn, text]);
    M.emit("R\t" + id + '\t0\t{"code":"script.released","message":"this function was released",'
      + '"retryable":false}');
    return undefined;
  };

  operations.answer = M.answer;
  operations.cancel = M.cancelReport;
  operations.release = functions.release;
  // Ends the script from outside.
  operations.stop = function (code, message) {
    M.die({ code: code, message: message, retryable: false });
  };
  // What the turn was interrupted for has been done.
  operations.go = function () {};
  operations["native"] = function (ok, text) {
    if (M.interrupted) {
      M.interrupted.answerOk = ok;
      M.interrupted.answer = text;
    }
  };

  // Whether the prelude itself has this guest method.
  function answers(global, method) {
    return use("globals").answers(global, method) ? "1" : "";
  }

  return function (given) {
    var name = given[0], args = p.ArraySlice(given, 1);
    if (name === "answers") return answers(args[0], args[1]);
    p.ReflectApply(operations[name], undefined, args);
    return M.turn();
  };
})
