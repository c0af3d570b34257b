// expect: ok
// Everything that can be reached from the globals is the script's: nothing of what the
// prelude and the engine's process have between them.
const seen = new Set(), queue = [globalThis], found = [];
while (queue.length > 0) {
  const at = queue.pop();
  if ((typeof at !== "object" && typeof at !== "function") || at === null || seen.has(at)) continue;
  seen.add(at);
  let keys = [];
  try { keys = Reflect.ownKeys(at); } catch {}
  for (const key of keys) {
    if (/^(ask|emit|answered|arrived|exchange|primordials|options)$/.test(String(key))) found.push(String(key));
    const one = Reflect.getOwnPropertyDescriptor(at, key);
    if (one && "value" in one) queue.push(one.value);
    else if (one) queue.push(one.get, one.set);
  }
  try { queue.push(Reflect.getPrototypeOf(at)); } catch {}
}
return found.length === 0 && seen.size > 500 ? "contained" : found + " of " + seen.size;
