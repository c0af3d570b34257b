// expect: ok
// A record never fails, whatever its fields do.
const cycle = {};
cycle.cycle = cycle;
const fields = {
  cycle, symbol: Symbol("s"), big: 10n ** 50n, nan: NaN, map: new Map([[1, 2]]), fn: () => 1,
  thrower: { toJSON() { throw null; } }, get late() { return cycle; }, date: new Date(NaN),
  proxy: new Proxy({}, { ownKeys() { throw 1; } }), long: new Array(2e4).fill("y"),
};
Logger.error(fields, fields);
Logger.error(Symbol("only"), { a: fields.proxy });
return "contained";
