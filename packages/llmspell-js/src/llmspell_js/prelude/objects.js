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
      ObjectDefineProperty(methods, other, { value: methods[keys[i]], enumerable: false });
    }
    ObjectDefineProperty(methods, "toString", { value: () => `${type}(${name})`, enumerable: false });
    kind(methods, () => ({ refused: `a ${type}` }));
    return ObjectFreeze(methods);
  }

  return { object };
})
