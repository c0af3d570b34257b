// Values as a person reads them: what `print` and `console.log` show.
(function (use) {
  "use strict";
  const {
    ArrayIsArray, ErrorIsError, FunctionToString, JSONStringify, MapForEach, MapSize, NumberC,
    ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf, ObjectHasOwn, ObjectPrototype,
    ObjectToString, ReflectOwnKeys, RegExpExec, RegExpFlags, RegExpSource, SetForEach, SetSize,
    StringC, StringIndexOf, StringRepeat, StringSlice, StringStartsWith, SymbolDescription,
    TypedArrayLength, TypedArrayTag, DateToISOString,
  } = use("primordials");
  const { printsAs } = use("decode");
  const errors = use("errors");
  const { textOf } = use("proxies");

  const DEEPEST = 5, LONGEST = 100, WIDTH = 76;

  function quoted(text) {
    if (StringIndexOf(text, "'") >= 0) return JSONStringify(text);
    const inner = JSONStringify(text);
    return "'" + unescaped(StringSlice(inner, 1, -1)) + "'";
  }

  // Within single quotes a double one needs no backslash.
  function unescaped(text) {
    let out = "", from = 0, at;
    while ((at = StringIndexOf(text, '\\"', from)) >= 0) {
      out += StringSlice(text, from, at) + '"';
      from = at + 2;
    }
    return out + StringSlice(text, from);
  }

  function show(value, up) {
    switch (typeof value) {
      case "string": return up ? quoted(value) : value;
      case "bigint": return StringC(value) + "n";
      case "symbol": return "Symbol(" + (SymbolDescription(value) ?? "") + ")";
      case "number": return value === 0 && 1 / value < 0 ? "-0" : StringC(value);
      case "function": return textOf(value) ?? shownFunction(value);
      case "object": return value === null ? "null" : object(value, up);
      default: return StringC(value);
    }
  }

  function shownFunction(fn) {
    const what = StringStartsWith(FunctionToString(fn), "class") ? "class" : "Function";
    const name = nameOf(fn);
    return name ? "[" + what + ": " + name + "]" : "[" + what + " (anonymous)]";
  }

  // A function's name; it may be an accessor of the script's.
  function nameOf(fn) {
    const described = ObjectGetOwnPropertyDescriptor(fn, "name");
    const found = described && ObjectHasOwn(described, "value") ? described.value : "";
    return typeof found === "string" ? found : "";
  }

  function error(e) {
    if (errors.is(e)) {
      const head = e.toString();
      return typeof e.stack === "string" && e.stack !== "" ? head + "\n" + lines(e.stack) : head;
    }
    const { message, stack } = errors.describe(e);
    const name = e.name === "Error" ? "Error: " : "";
    return name + message + (stack ? "\n" + lines(stack) : "");
  }

  function lines(stack) {
    let out = "    ";
    for (let i = 0; i < stack.length; i++) out += stack[i] === "\n" ? "\n    " : stack[i];
    return out;
  }

  function object(value, up) {
    const known = textOf(value);
    if (known !== undefined) return known;
    if (ErrorIsError(value) || errors.is(value)) return error(value);
    const depth = up ? up.depth + 1 : 1;
    for (let at = up; at; at = at.up) {
      if (at.value === value) return "[Circular]";
    }
    const field = printsAs(value);
    if (field !== undefined) return StringC(value[field]);
    const me = { up, value, depth };
    if (ArrayIsArray(value)) return depth > DEEPEST ? "[Array]" : list(value, value.length, me, "");
    const tag = TypedArrayTag(value);
    if (tag !== undefined) {
      const length = TypedArrayLength(value);
      return depth > DEEPEST ? "[" + tag + "]" : list(value, length, me, tag + "(" + length + ") ");
    }
    return builtIn(value, me) ?? (depth > DEEPEST ? "[Object]" : fields(value, me));
  }

  function builtIn(value, me) {
    const deep = me.depth > DEEPEST;
    switch (ObjectToString(value)) {
      case "[object Date]":
        try {
          return DateToISOString(value);
        } catch {
          return "Invalid Date";
        }
      case "[object RegExp]": return "/" + RegExpSource(value) + "/" + RegExpFlags(value);
      case "[object Promise]": return "Promise {}";
      case "[object Map]": return deep ? "[Map]" : "Map(" + MapSize(value) + ") " + map(value, me);
      case "[object Set]": return deep ? "[Set]" : "Set(" + SetSize(value) + ") " + set(value, me);
      default: return undefined;
    }
  }

  function map(value, me) {
    const parts = { __proto__: null };
    let count = 0;
    MapForEach(value, (one, key) => {
      if (count <= LONGEST) parts[count++] = show(key, me) + " => " + show(one, me);
    });
    return wrapped(parts, count, "{", "}", me);
  }

  function set(value, me) {
    const parts = { __proto__: null };
    let count = 0;
    SetForEach(value, (one) => { if (count <= LONGEST) parts[count++] = show(one, me); });
    return wrapped(parts, count, "{", "}", me);
  }

  function list(value, length, me, head) {
    const parts = { __proto__: null };
    let count = 0;
    for (; count < length && count < LONGEST; count++) parts[count] = show(value[count], me);
    if (length > LONGEST) parts[count++] = "... " + (length - LONGEST) + " more";
    return head + wrapped(parts, count, "[", "]", me);
  }

  function fields(value, me) {
    const parts = { __proto__: null };
    const keys = ReflectOwnKeys(value);
    let count = 0;
    for (let i = 0; i < keys.length && count < LONGEST; i++) {
      const described = ObjectGetOwnPropertyDescriptor(value, keys[i]);
      if (!described?.enumerable) continue;
      const shown = ObjectHasOwn(described, "get") ? "[Getter]" : show(value[keys[i]], me);
      parts[count++] = name(keys[i]) + ": " + shown;
    }
    return className(value) + wrapped(parts, count, "{", "}", me);
  }

  function name(key) {
    if (typeof key === "symbol") return "[" + show(key, null) + "]";
    return RegExpExec(/^[A-Za-z_$][\w$]*$/, key) ? key : quoted(key);
  }

  function className(value) {
    const proto = ObjectGetPrototypeOf(value);
    if (proto === ObjectPrototype || proto === null || !ObjectHasOwn(proto, "constructor")) return "";
    const { constructor } = proto;
    const found = typeof constructor === "function" ? nameOf(constructor) : "";
    return found === "" ? "" : found + " ";
  }

  // On one line when it fits, else one part a line.
  function wrapped(parts, count, open, close, me) {
    if (count === 0) return open + close;
    let length = 0, many = false;
    for (let i = 0; i < count; i++) {
      length += parts[i].length + 2;
      many = many || StringIndexOf(parts[i], "\n") >= 0;
    }
    const one = !many && length + 2 * me.depth <= WIDTH;
    const lead = one ? " " : "\n" + StringRepeat("  ", me.depth);
    let out = open;
    for (let i = 0; i < count; i++) out += (i > 0 ? "," : "") + lead + parts[i];
    return out + (one ? " " : "\n" + StringRepeat("  ", me.depth - 1)) + close;
  }

  const inspect = (value) => show(value, null);

  // format strings --------------------------------------------------------------------------------

  function directive(letter, value) {
    switch (letter) {
      case "s": return typeof value === "object" || typeof value === "function" ? inspect(value) : StringC(value);
      case "d": case "f": return StringC(NumberC(value));
      case "i": return StringC(NumberC(value) - NumberC(value) % 1);
      case "j": return JSONStringify(value) ?? "undefined";
      case "o": case "O": return inspect(value);
      default: return undefined;
    }
  }

  // What `console.log(format, ...values)` writes.
  function formatted(args) {
    const format = args[0];
    let out = "", next = 1, from = 0, at;
    while ((at = StringIndexOf(format, "%", from)) >= 0) {
      const letter = format[at + 1];
      out += StringSlice(format, from, at);
      from = at + 2;
      if (letter === "%") {
        out += "%";
      } else {
        const shown = next < args.length ? directive(letter, args[next]) : undefined;
        if (shown === undefined) {
          out += "%";
          from = at + 1;
        } else {
          out += shown;
          next++;
        }
      }
    }
    out += StringSlice(format, from);
    for (; next < args.length; next++) out += " " + inspect(args[next]);
    return out;
  }

  return { formatted, inspect };
})
