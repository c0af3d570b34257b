// Handles of the script's functions: what the host holds instead of a function.
//
// A function has one handle while it lives. It is kept alive while the host holds it: each time
// it is sent counts, and `release` names a handle once for each time it arrived. Without the
// count, a release on its way could cross the same function being sent again.
(function (use) {
  "use strict";
  const {
    MapC, MapDelete, MapGet, MapSet, MapSize, WeakMapC, WeakMapGet, WeakMapSet,
  } = use("primordials");
  const { functions } = use("encode");
  const { markers } = use("decode");

  const held = new MapC();             // handle -> [function, how often it was sent]
  const ids = new WeakMapC();
  let last = 0;

  functions.idOf = (fn) => {
    let id = WeakMapGet(ids, fn);
    if (id === undefined) {
      id = ++last;
      WeakMapSet(ids, fn, id);
    }
    const entry = MapGet(held, id);
    if (entry) entry.sent++; else MapSet(held, id, { fn, sent: 1 });
    return id;
  };

  const get = (id) => MapGet(held, id)?.fn;
  markers.$f = get;

  function release(id) {
    const entry = MapGet(held, id);
    if (entry && --entry.sent <= 0) MapDelete(held, id);
  }

  // Whether the host could still call into the script.
  const anyHeld = () => MapSize(held) > 0;

  return { anyHeld, get, release };
})
