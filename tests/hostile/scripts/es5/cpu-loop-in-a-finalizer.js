// expect: ok
// Objects have none that a script could set, or one that is not called.
var called = 0;
var proto = typeof Duktape === "undefined" ? null : Duktape;
if (proto) return "Duktape is there";
for (var i = 0; i < 1000; i++) {
  var it = {};
  it["\xFFfinalizer"] = it["\x82finalizer"] = it.finalizer = function () { called++; for (;;); };
}
Async.sleep(1);
return called === 0 ? "contained" : "called " + called;
