// expect: script.memory_limit
// Names are kept in a table of the engine's own.
const owner = {};
for (let i = 0; ; i++) {
  owner["name " + i] = Symbol.for("symbol " + i);
}
