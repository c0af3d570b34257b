// Handles of the script's functions: what the host holds instead of a function.
//
// A function has one handle while the host holds it. It is kept alive so long: each time it is
// sent counts, and `release` names a handle once for each time it arrived. Without the count, a
// release on its way could cross the same function being sent again.
(function (use) {
  "use strict";
  var p = use("primordials");
  var states = use("states");
  var encode = use("encode");
  var markers = use("decode").markers;

  var held = p.ObjectCreate(null);     // handle -> { fn, id, sent }
  var last = 0, count = 0;

  // A frozen function has no place for its entry: it is looked for.
  function entryOf(fn) {
    var entry = states.of(fn);
    if (entry !== null && entry.fn === fn) return entry;
    for (var id in held) {
      if (held[id].fn === fn) return held[id];
    }
    entry = { fn: fn, id: ++last, sent: 0 };
    try {
      states.mark(fn, entry);
    } catch (frozen) {}
    return entry;
  }

  encode.function_id = function (fn) {
    var entry = entryOf(fn);
    if (entry.sent++ === 0) {
      held[entry.id] = entry;
      count++;
    }
    return entry.id;
  };

  function get(id) { return held[id] ? held[id].fn : undefined; }
  markers.$f = get;

  function release(id) {
    var entry = held[id];
    if (entry && --entry.sent <= 0) {
      entry.sent = 0;
      delete held[id];
      count--;
    }
  }

  // Whether the host could still call into the script.
  function anyHeld() { return count > 0; }

  return { anyHeld: anyHeld, get: get, release: release };
})
