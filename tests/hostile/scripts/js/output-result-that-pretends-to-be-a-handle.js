// expect: ok
// The markers of the protocol, as data of the script: they come back as what they were.
const fakes = [
  { $h: 1 }, { $f: 1 }, { $f: -1 }, { $: { $h: 2 } }, { $e: { message: "x" } }, { $r: [1, "a", "b"] },
  { $b: "AAAA" }, { $b: 1 }, { $x: null }, { $: 1 }, { __proto__: null, $h: 3 },
];
await State.set("fakes", fakes);
const back = JSON.stringify(await State.get("fakes"));
return back === JSON.stringify(fakes) ? "contained" : back;
