// Options by name, and "did you mean".
(function (use) {
  "use strict";
  var p = use("primordials");
  var errors = use("errors");
  var snake = use("spelling").snake;

  function distance(a, b) {
    var row = p.array();
    for (var j = 0; j <= b.length; j++) row[j] = j;
    for (var i = 1; i <= a.length; i++) {
      var diagonal = row[0];
      row[0] = i;
      for (j = 1; j <= b.length; j++) {
        var same = p.StringCharCodeAt(a, i - 1) === p.StringCharCodeAt(b, j - 1);
        var best = p.MathMin(row[j] + 1, row[j - 1] + 1, diagonal + (same ? 0 : 1));
        diagonal = row[j];
        row[j] = best;
      }
    }
    return row[b.length];
  }

  // `did you mean "x"?` for the nearest of these names, or undefined.
  function nearest(name, known) {
    var best, least;
    if (typeof name !== "string" || name.length > 64) return undefined;
    for (var i = 0; i < known.length; i++) {
      var d = distance(name, known[i]);
      if (d > p.MathMax(2, name.length / 3)) continue;
      if (least === undefined || d < least || (d === least && known[i] < best)) {
        best = known[i];
        least = d;
      }
    }
    return best === undefined ? undefined : 'did you mean "' + best + '"?';
  }

  // Refuses options that are not known; gives them in snake_case.
  function checkOptions(given, known, what) {
    var found = p.ObjectCreate(null);
    if (given === undefined || given === null) return found;
    if (typeof given !== "object") {
      errors.fail("input.invalid", what + " takes an object of options, not a " + typeof given);
    }
    var keys = p.ObjectKeys(given);
    for (var i = 0; i < keys.length; i++) {
      var name = snake(keys[i]), fits = false;
      for (var j = 0; j < known.length; j++) fits = fits || known[j] === name;
      if (!fits) {
        errors.fail("input.invalid", what + ': unknown option "' + keys[i] + '"', nearest(name, known));
      }
      if (name in found) {
        errors.fail("input.invalid", what + ': "' + name + '" is given in both spellings: give one');
      }
      found[name] = given[keys[i]];
    }
    return found;
  }

  return { checkOptions: checkOptions, nearest: nearest };
})
