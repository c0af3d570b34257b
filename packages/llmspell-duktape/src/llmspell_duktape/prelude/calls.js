// Calls of the host, and what goes to the guest module: lines of text that it takes each time the
// engine comes back to it.
//
//   h id target method origin args      a call; target is a number or a JSON string
//   c id                                nobody waits for this call any more
//   R id ok value                       a run or an invocation has ended
//   w stream text   L records   D handles   U error   b place
//   n name args                         a method that the guest module answers at once
//
// Fields are separated by tabs and are numbers, plain names, or JSON, which has neither tabs nor
// line ends.
(function (use) {
  "use strict";
  var p = use("primordials");
  var errors = use("errors");
  var encodeArgs = use("encode").encodeArgs;
  var decode = use("decode").decode;
  var M = use("threads");

  var calls = p.ObjectCreate(null);    // id -> the task that waits, or a function
  var out = "", last = 0;

  M.pending = 0;                       // host calls without answer
  M.calls = calls;
  M.before = null;                     // set by output.js: what the host should have seen first

  function emit(line) { out += line + "\n"; }
  M.emit = emit;
  M.take = function () {
    var taken = out;
    out = "";
    return taken;
  };

  function send(target, method, origin, args) {
    if (M.before) M.before();
    var id = ++last;
    emit("h\t" + id + "\t" + target + "\t" + method + "\t" + origin + "\t" + args);
    M.pending++;
    return id;
  }

  // Calls the host and waits for the answer; `target` is as it is sent.
  M.call = function (target, method, args) {
    var text = encodeArgs(args);
    var task = M.suspend(function (waiting) {
      var id = send(target, method, waiting.origin, text);
      calls[id] = waiting;
      waiting.call = id;
    }, method);
    var answer = task.answer;
    task.answer = "";
    if (task.answerOk) return answer === "null" ? null : decode(answer);
    throw errors.make(decode(answer));
  };

  // Calls the host without waiting; `onAnswer(ok, text)` runs in the loop and must not fail. In
  // the loop, or where nothing of a task could come between.
  M.startCall = function (target, method, args, onAnswer) {
    var id = send(target, method, M.current ? M.current.origin : 0, args);
    calls[id] = onAnswer;
    return id;
  };

  // Nobody waits for this call any more.
  M.dropCall = function (id) {
    if (id && calls[id]) {
      delete calls[id];
      M.pending--;
      emit("c\t" + id);
    }
  };

  // An answer has come. Returns whether a task was woken by it.
  M.answered = function (id, ok, text) {
    var waits = calls[id];
    if (!waits) return false;
    delete calls[id];
    M.pending--;
    if (typeof waits === "function") {
      waits(ok, text);
      return false;
    }
    waits.call = 0;
    waits.answerOk = ok;
    waits.answer = text;
    M.push(waits);
    return true;
  };

  // Asks the guest module itself, at once: no other task runs meanwhile.
  M.native = function (name, args) {
    var task = M.current, text = encodeArgs(args);
    if (task !== null) task.answer = name + "\t" + text;
    M.yieldOut(task, M.NATIVE, name);
    var answer = task.answer;
    task.answer = "";
    if (task.answerOk) return decode(answer);
    throw errors.make(decode(answer));
  };

  // Ends the script: what runs is never resumed. Where that cannot be, it ends at its next wait.
  M.exit = function (fields) {
    M.dead = M.dead || fields;
    try {
      p.yieldOut(M.EXIT);
    } catch (e) {
      throw errors.make(fields);
    }
  };

  M.SLEEP = p.JSONStringify("Async");
  M.wire = function (name) { return p.ascii(p.JSONStringify(name)); };

  return M;
})
