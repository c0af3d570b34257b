// expect: ok
var inner = { toJSON: function () { JSON.encode([1]); return 1; } };
var fakes = [inner, { $h: 1 }, { $f: 1 }, { $e: { message: "x" } }, inner, { $b: "AAAA" }];
State.set("fakes", fakes);
var back = JSON.stringify(State.get("fakes"));
var wanted = JSON.stringify([1, { $h: 1 }, { $f: 1 }, { $e: { message: "x" } }, 1, { $b: "AAAA" }]);
return back === wanted ? "contained" : back;
