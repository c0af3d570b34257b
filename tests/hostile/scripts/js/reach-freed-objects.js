// expect: ok
// limits: wall_s = 8
// Weak references and finalizers around objects of the host and of the prelude.
const registry = new FinalizationRegistry((held) => {
  try { held.revived = new WeakRef(held); } catch {}
});
const refs = [];
for (let i = 0; i < 100; i++) {
  let it = await State.get("nothing", { i });
  if (typeof it !== "object" || it === null) it = { i };
  registry.register(it, it.constructor, it);
  registry.register(Tool, { i });
  refs.push(new WeakRef(it), new WeakRef(Async.spawn(() => i)));
}
await Async.sleep(5);
for (const ref of refs) {
  const it = ref.deref();
  if (it?.status) it.status();
}
return "contained";
