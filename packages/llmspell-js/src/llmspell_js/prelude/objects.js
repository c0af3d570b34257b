// Objects of the prelude's own that answer to both spellings of their methods.
(function (use) {
  "use strict";
  const { ObjectDefineProperty, ObjectFreeze, ObjectKeys } = use("primordials");
  const { kind } = use("encode");

  function camel(name) {
    let out = "";
    for (let i = 0; i < name.length; i++) {
      if (name[i] === "_") out += name[++i].toUpperCase(); else out += name[i];
    }
    return out;
  }

  function object(type, name, methods) {
    const keys = ObjectKeys(methods);
    for (let i = 0; i < keys.length; i++) {
      const other = camel(keys[i]);
      if (other === keys[i]) continue;
      ObjectDefineProperty(methods, other, { __proto__: null, value: methods[keys[i]] });
    }
    ObjectDefineProperty(methods, "toString", { __proto__: null, value: () => type + "(" + name + ")" });
    kind(methods, () => ({ __proto__: null, refused: "a " + type }));
    return ObjectFreeze(methods);
  }

  return { object };
})
