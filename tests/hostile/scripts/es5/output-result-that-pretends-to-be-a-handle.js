// expect: ok
var fakes = [{ $h: 1 }, { $f: 1 }, { $: { $h: 2 } }, { $e: { message: "x" } }, { $r: [1] }, { $b: "AAAA" }, { $x: null }];
State.set("fakes", fakes);
var back = JSON.stringify(State.get("fakes"));
return back === JSON.stringify(fakes) ? "contained" : back;
