// expect: ok
var cycle = {}, proxy = new Proxy({}, { ownKeys: function () { throw 1; }, get: function () { throw 2; } });
cycle.cycle = cycle;
var fields = {
  cycle: cycle, symbol: Symbol("s"), nan: NaN, fn: function () {}, proxy: proxy, date: new Date(NaN),
  thrower: { toJSON: function () { throw null; } }, get late() { throw undefined; }, long: new Array(1e4),
};
Logger.error("fields", fields);
Logger.error(fields, cycle);
Logger.error(Symbol("only"), proxy);
return "contained";
