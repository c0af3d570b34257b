// expect: ok
// A `toJSON` that has something else encoded must not change how the rest is written.
const inner = { toJSON() { State.set("other", { b: 1 }); JSON.encode([1]); return 1; } };
const fakes = [inner, { $h: 1 }, { $f: 1 }, { $e: { message: "x" } }, inner, { $b: "AAAA" }];
await State.set("fakes", fakes);
const back = JSON.stringify(await State.get("fakes"));
const wanted = JSON.stringify([1, { $h: 1 }, { $f: 1 }, { $e: { message: "x" } }, 1, { $b: "AAAA" }]);
return back === wanted ? "contained" : back;
