// Values as a person reads them: what `print` and `console.log` show.
(function (use) {
  "use strict";
  var p = use("primordials");
  var states = use("states");
  var errors = use("errors");
  var DEEPEST = 5, LONGEST = 100, WIDTH = 76;

  function quoted(text) {
    var json = p.JSONStringify(text);
    if (p.StringIndexOf(text, "'") >= 0) return json;
    return "'" + p.StringReplace(p.StringSlice(json, 1, -1), /\\"/g, '"') + "'";
  }

  function show(value, up) {
    switch (typeof value) {
      case "string": return up ? quoted(value) : value;
      case "symbol": return p.SymbolToString(value);
      case "number": return value === 0 && 1 / value < 0 ? "-0" : p.StringC(value);
      case "object": return value === null ? "null" : object(value, up);
      case "function": return known(value) || shownFunction(value);
      default: return p.StringC(value);
    }
  }

  function shownFunction(fn) {
    var name = p.ObjectGetOwnPropertyDescriptor(fn, "name");
    name = name && typeof name.value === "string" ? name.value : "";
    return name === "" ? "[Function (anonymous)]" : "[Function: " + name + "]";
  }

  // Objects of the prelude's own print as their text.
  function known(value) {
    var state = states.of(value);
    if (state === null) return undefined;
    if (state.text) return state.text();
    return state.waiters || state.popping ? p.StringC(value) : undefined;
  }

  function indented(stack) {
    return "\n    " + p.StringReplace(stack, /\n/g, "\n    ");
  }

  function error(e) {
    var fields = errors.describe(e), head = fields.message;
    if (errors.is(e)) head = e.toString();
    else if (e.name === "Error") head = "Error: " + head;
    return head + (fields.stack ? indented(fields.stack) : "");
  }

  function object(value, up) {
    var found = known(value);
    if (found !== undefined) return found;
    if (errors.isNative(value)) return error(value);
    var depth = up ? up.depth + 1 : 1;
    for (var at = up; at; at = at.up) {
      if (at.value === value) return "[Circular]";
    }
    var me = { up: up, value: value, depth: depth };
    if (p.ArrayIsArray(value)) return depth > DEEPEST ? "[Array]" : list(value, me, "");
    return builtIn(value, me) || (depth > DEEPEST ? "[Object]" : fields(value, me));
  }

  function builtIn(value, me) {
    var tag = p.StringSlice(p.ObjectToString(value), 8, -1);
    if (tag === "Object") return prints(value) ? p.StringC(value) : undefined;
    if (tag === "RegExp") return p.StringC(value);
    if (tag === "Arguments") return list(value, me, "[Arguments] ");
    if (tag === "Date") {
      try {
        return p.DateToISOString(value);
      } catch (invalid) {
        return "Invalid Date";
      }
    }
    if (!p.RegExpExec(/^(?:Ui|I)nt\d+(?:Clamped)?Array$|^Float\d+Array$/, tag)) return undefined;
    var head = tag + "(" + value.length + ")";
    return me.depth > DEEPEST ? "[" + tag + "]" : list(value, me, head + " ");
  }

  // Results that print as one of their fields inherit a function for it that is not the language's.
  function prints(value) {
    var proto = p.ObjectGetPrototypeOf(value);
    return proto !== null && proto !== p.ObjectPrototype && !p.ObjectHasOwn(value, "toString")
      && p.ObjectHasOwn(proto, "toString") && p.ObjectGetPrototypeOf(proto) === p.ObjectPrototype
      && !p.ObjectHasOwn(proto, "constructor");
  }

  function list(value, me, head) {
    var parts = p.array(), length = value.length;
    for (var i = 0; i < length && i < LONGEST; i++) parts[i] = show(value[i], me);
    if (length > LONGEST) parts[LONGEST] = "... " + (length - LONGEST) + " more";
    return head + wrapped(parts, "[", "]", me);
  }

  function fields(value, me) {
    var parts = p.array(), keys = p.ObjectKeys(value);
    for (var i = 0; i < keys.length && i < LONGEST; i++) {
      var described = p.ObjectGetOwnPropertyDescriptor(value, keys[i]);
      var shown = described && described.get ? "[Getter]" : show(value[keys[i]], me);
      parts[i] = name(keys[i]) + ": " + shown;
    }
    if (keys.length > LONGEST) parts[LONGEST] = "... " + (keys.length - LONGEST) + " more";
    return className(value) + wrapped(parts, "{", "}", me);
  }

  function name(key) {
    return p.RegExpExec(/^[A-Za-z_$][\w$]*$/, key) ? key : quoted(key);
  }

  function className(value) {
    var proto = p.ObjectGetPrototypeOf(value);
    if (proto === p.ObjectPrototype || proto === null || !p.ObjectHasOwn(proto, "constructor")) return "";
    var made = proto.constructor;
    var found = typeof made === "function" && p.ObjectGetOwnPropertyDescriptor(made, "name");
    return found && typeof found.value === "string" && found.value !== "" ? found.value + " " : "";
  }

  // On one line when it fits, else one part a line.
  function wrapped(parts, open, close, me) {
    if (parts.length === 0) return open + close;
    var length = 0, many = false;
    for (var i = 0; i < parts.length; i++) {
      length += parts[i].length + 2;
      many = many || p.StringIndexOf(parts[i], "\n") >= 0;
    }
    var one = !many && length + 2 * me.depth <= WIDTH;
    var lead = one ? " " : "\n" + p.StringRepeat("  ", me.depth);
    return open + lead + p.ArrayJoin(parts, "," + lead)
      + (one ? " " : "\n" + p.StringRepeat("  ", me.depth - 1)) + close;
  }

  function inspect(value) { return show(value, null); }

  // format strings --------------------------------------------------------------------------------

  function directive(letter, value) {
    switch (letter) {
      case "s": {
        var plain = typeof value !== "object" && typeof value !== "function";
        return plain ? p.StringC(value) : inspect(value);
      }
      case "d": case "f": return p.StringC(p.NumberC(value));
      case "i": return p.StringC(p.NumberC(value) - p.NumberC(value) % 1);
      case "j": return p.JSONStringify(value) || "undefined";
      case "o": case "O": return inspect(value);
      default: return undefined;
    }
  }

  // What `console.log(format, ...values)` writes.
  function formatted(args) {
    var format = args[0], out = "", next = 1, from = 0, at;
    while ((at = p.StringIndexOf(format, "%", from)) >= 0) {
      var letter = format[at + 1];
      out += p.StringSlice(format, from, at);
      from = at + 2;
      var shown = letter === "%" ? "%" : next < args.length ? directive(letter, args[next]) : undefined;
      if (shown === undefined) {
        out += "%";
        from = at + 1;
      } else {
        out += shown;
        if (letter !== "%") next++;
      }
    }
    out += p.StringSlice(format, from);
    for (; next < args.length; next++) out += " " + inspect(args[next]);
    return out;
  }

  return { formatted: formatted, inspect: inspect };
})
