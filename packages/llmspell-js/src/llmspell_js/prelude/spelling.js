// Both spellings of names.
(function (use) {
  "use strict";
  const { StringCharCodeAt, StringFromCharCode } = use("primordials");

  // `systemPrompt` -> `system_prompt`; only what begins with a small letter is camelCase.
  function snake(name) {
    const first = StringCharCodeAt(name, 0);
    if (!(first >= 97 && first <= 122)) return name;
    let out = "", changed = false;
    for (let i = 0; i < name.length; i++) {
      const code = StringCharCodeAt(name, i);
      if (code >= 65 && code <= 90) {
        out += "_" + StringFromCharCode(code + 32);
        changed = true;
      } else {
        out += name[i];
      }
    }
    return changed ? out : name;
  }

  return { snake };
})
