// Guest methods that the guest's own process answers: text in, text out, at once.
(function (use) {
  "use strict";
  const { ask } = use("host");
  const { encodeArgs } = use("encode");
  const { decode } = use("decode");
  const { fail, make } = use("errors");

  const NATIVE = -1, EXIT = -2;
  const exchange = { request: "", ok: false, answer: "" };

  function native(name, args) {
    if (!ask) fail("engine.unsupported", name + " is not available in this build of the engine");
    exchange.request = name + "\n" + encodeArgs(args);
    ask(NATIVE);
    if (exchange.ok) return decode(exchange.answer);
    throw make(decode(exchange.answer));
  }

  // Ends the script: the guest has what runs interrupted, which nothing can catch.
  function exit(code) {
    exchange.request = "" + code;
    if (ask) {
      ask(EXIT);
      for (;;);
    }
    use("calls").emit("X\t" + code);
    throw make({ code: "script.exit", message: "the script called process.exit", details: { code } });
  }

  return { exchange, exit, native };
})
