// Names for lines: the engine calls every compiled text "input", so each source begins at a line
// number of its own, behind empty lines. Lower lines are those of texts that the script itself
// has given to `eval`.
(function (use) {
  "use strict";
  var p = use("primordials");
  var FIRST = 10000, SPARE = 1000;

  var regions = p.array(), next = FIRST;

  function count(text) {
    var lines = 1, at = -1;
    while ((at = p.StringIndexOf(text, "\n", at + 1)) >= 0) lines++;
    return lines;
  }

  // Where the lines of this source begin; one name keeps its place, as the inputs of a REPL do.
  function begin(name, source) {
    var lines = count(source);
    for (var i = 0; i < regions.length; i++) {
      if (regions[i].name === name && regions[i].size > lines) {
        regions[i].lines = lines;
        return regions[i];
      }
    }
    var region = { name: name, base: next, lines: lines, size: lines + SPARE };
    regions[regions.length] = region;
    next += region.size;
    return region;
  }

  // `spell.js:12`, or null for a line of nothing that has a name.
  function place(line) {
    for (var i = regions.length - 1; i >= 0; i--) {
      var region = regions[i];
      if (line > region.base) {
        if (line > region.base + region.size) return null;
        return region.name + ":" + p.MathMin(line - region.base, region.lines);
      }
    }
    return null;
  }

  return { begin: begin, place: place };
})
