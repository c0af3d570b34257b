// `stdin`: text, lines and JSON of the standard input, as promises.
(function (use) {
  "use strict";
  const { JSONParse, SymbolAsyncIterator } = use("primordials");
  const { call, wire } = use("calls");

  const STDIN = wire("stdin");
  const read = (how = "l") => call(STDIN, "read", [how]);

  // An iterator over lines; each is read when it is asked for.
  function lines() {
    return {
      async next() {
        const line = await read("l");
        return line === null ? { value: undefined, done: true } : { value: line, done: false };
      },
      async return(value) { return { value, done: true }; },
      [SymbolAsyncIterator]() { return this; },
    };
  }

  const text = async () => await read("a") ?? "";
  return {
    lines, read, text,
    json: async () => JSONParse(await text()),
    [SymbolAsyncIterator]: lines,
  };
})
