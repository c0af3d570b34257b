// expect: script.memory_limit
// limits: cpu_s = 4, wall_s = 8
// Names are kept in a table of the engine's own.
const owner = {};
for (let i = 0; ; i++) {
  owner["name " + i] = Symbol.for("symbol " + i);
}
