// Both spellings of names.
(function (use) {
  "use strict";
  var p = use("primordials");

  // `systemPrompt` -> `system_prompt`; only what begins with a small letter is camelCase.
  function snake(name) {
    var first = p.StringCharCodeAt(name, 0);
    if (!(first >= 97 && first <= 122)) return name;
    var out = "", from = 0;
    for (var i = 0; i < name.length; i++) {
      var code = p.StringCharCodeAt(name, i);
      if (code >= 65 && code <= 90) {
        out += p.StringSubstring(name, from, i) + "_" + p.StringFromCharCode(code + 32);
        from = i + 1;
      }
    }
    return from === 0 ? name : out + p.StringSubstring(name, from);
  }

  // `system_prompt` -> `systemPrompt`
  function camel(name) {
    var out = "", from = 0, at;
    while ((at = p.StringIndexOf(name, "_", from)) >= 0) {
      var code = p.StringCharCodeAt(name, at + 1);
      var letter = at > 0 && code >= 97 && code <= 122;
      out += p.StringSubstring(name, from, letter ? at : at + 1);
      from = at + 1;
      if (letter) {
        out += p.StringFromCharCode(code - 32);
        from++;
      }
    }
    return out + p.StringSubstring(name, from, name.length);
  }

  return { camel: camel, snake: snake };
})
