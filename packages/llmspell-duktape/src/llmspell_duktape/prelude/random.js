// Repeatable random numbers from the run's seed (sfc32).
(function (use) {
  "use strict";
  var p = use("primordials");

  return function (seed) {
    var text = p.StringC(seed) + "00000000000000000000000000000000";
    function part(i) { return p.ParseInt(p.StringSlice(text, 8 * i, 8 * i + 8), 16) | 0; }
    var a = part(0), b = part(1), c = part(2), d = part(3) | 1;
    function next() {
      var t = (a + b | 0) + d | 0;
      d = d + 1 | 0;
      a = b ^ b >>> 9;
      b = c + (c << 3) | 0;
      c = (c << 21 | c >>> 11) + t | 0;
      return t >>> 0;
    }
    for (var i = 0; i < 12; i++) next();
    // 53 bits, as the language's own.
    return function random() {
      return ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;
    };
  };
})
