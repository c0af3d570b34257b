// expect: ok
class Evil extends Array {
  static get [Symbol.species]() { return class { constructor() { for (;;); } }; }
  get length() { return 3; }
}
class Late extends Promise {
  static get [Symbol.species]() { return class { constructor(run) { run(() => {}, () => {}); } }; }
  then() { for (;;); }
}
const list = new Evil(1, 2, 3);
await State.set("list", list);
const back = await State.get("list");
const late = await Async.all([new Late((resolve) => resolve(7))]);
return back.length === 3 && late[0] === 7 ? "contained" : JSON.stringify([back, late]);
