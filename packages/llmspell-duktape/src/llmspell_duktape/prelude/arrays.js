// The functions of the language that call back, written so that the callback may wait: the
// engine's own stand between a callback and its task, and nothing can wait across them.
(function (use) {
  "use strict";
  var p = use("primordials");
  var apply = p.ReflectApply;

  function replace(owner, name, length, value) {
    p.ObjectDefineProperty(owner, name,
      { value: value, writable: true, enumerable: false, configurable: true });
    p.ObjectDefineProperty(value, "name", { value: name, configurable: true });
    p.ObjectDefineProperty(value, "length", { value: length, configurable: true });
  }

  function toObject(value, fn, name) {
    if (value === null || value === undefined) {
      throw new p.TypeErrorC("Array.prototype." + name + " called on " + value);
    }
    if (typeof fn !== "function") throw new p.TypeErrorC(use("inspect").inspect(fn) + " is not a function");
    return typeof value === "object" || typeof value === "function" ? value : new p.ObjectC(value);
  }

  function lengthOf(list) {
    var length = +list.length;
    return length > 0 ? p.MathMin(p.MathFloor(length), 9007199254740991) : 0;
  }

  // `visit(result, value, item, index)` says whether to go on.
  function iteration(name, begin, visit, end) {
    replace(Array.prototype, name, 1, function (fn, self) {
      var list = toObject(this, fn, name), length = lengthOf(list), state = begin(length);
      for (var i = 0; i < length; i++) {
        if (!(i in list)) continue;
        var item = list[i];
        if (!visit(state, apply(fn, self, [item, i, list]), item, i)) break;
      }
      return end(state);
    });
  }

  iteration("forEach", function () {}, function () { return true; }, function () {});
  iteration("map", function (length) { return new p.ArrayC(length); }, function (out, value, item, i) {
    out[i] = value;
    return true;
  }, function (out) { return out; });
  iteration("filter", function () { return []; }, function (out, value, item) {
    if (value) out[out.length] = item;
    return true;
  }, function (out) { return out; });
  iteration("some", function () { return { found: false }; }, function (state, value) {
    state.found = !!value;
    return !value;
  }, function (state) { return state.found; });
  iteration("every", function () { return { all: true }; }, function (state, value) {
    state.all = !!value;
    return state.all;
  }, function (state) { return state.all; });

  function reduction(name, forward) {
    replace(Array.prototype, name, 1, function (fn, initial) {
      var list = toObject(this, fn, name), length = lengthOf(list);
      var has = arguments.length > 1, value = initial;
      for (var n = 0; n < length; n++) {
        var i = forward ? n : length - 1 - n;
        if (!(i in list)) continue;
        value = has ? apply(fn, undefined, [value, list[i], i, list]) : list[i];
        has = true;
      }
      if (!has) throw new p.TypeErrorC("reduce of an empty array with no initial value");
      return value;
    });
  }
  reduction("reduce", true);
  reduction("reduceRight", false);

  // sort: a stable merge sort; undefined goes last and holes go after it, as the language says.
  function merge(from, into, low, middle, high, less) {
    var a = low, b = middle;
    for (var i = low; i < high; i++) {
      var left = a < middle && (b >= high || !(less(from[a], from[b]) > 0));
      into[i] = left ? from[a++] : from[b++];
    }
  }

  function sorted(items, less) {
    var from = items, into = new p.ArrayC(items.length);
    for (var width = 1; width < items.length; width *= 2) {
      for (var low = 0; low < items.length; low += 2 * width) {
        merge(from, into, low, p.MathMin(low + width, items.length),
          p.MathMin(low + 2 * width, items.length), less);
      }
      var other = from;
      from = into;
      into = other;
    }
    return from;
  }

  var nativeSort = Array.prototype.sort;
  replace(Array.prototype, "sort", 1, function (less) {
    if (less === undefined) return apply(nativeSort, this, []);
    var list = toObject(this, less, "sort"), length = lengthOf(list), items = p.array(), last = 0, i;
    for (i = 0; i < length; i++) {
      if (!(i in list)) continue;
      if (list[i] === undefined) last++;
      else items[items.length] = list[i];
    }
    items = sorted(items, function (a, b) { return apply(less, undefined, [a, b]); });
    for (i = 0; i < items.length; i++) list[i] = items[i];
    for (; last > 0; last--) list[i++] = undefined;
    for (; i < length; i++) delete list[i];
    return list;
  });

  // replace with a function -----------------------------------------------------------------------

  var nativeReplace = String.prototype.replace;

  // All matches are found before anything is called, as the language says.
  function matches(text, pattern) {
    var found = p.array(), at;
    if (p.ObjectToString(pattern) !== "[object RegExp]") {
      pattern = p.StringC(pattern);
      at = p.StringIndexOf(text, pattern);
      if (at >= 0) found[0] = { groups: [pattern], index: at };
      return found;
    }
    if (pattern.global) pattern.lastIndex = 0;
    for (;;) {
      var match = p.RegExpExec(pattern, text);
      if (match === null) return found;
      found[found.length] = { groups: p.ArraySlice(match), index: match.index };
      if (!pattern.global) return found;
      if (match[0] === "") pattern.lastIndex++;
    }
  }

  replace(String.prototype, "replace", 2, function (pattern, fn) {
    if (typeof fn !== "function") return apply(nativeReplace, this, p.list(arguments));
    if (this === null || this === undefined) throw new p.TypeErrorC("replace called on " + this);
    var text = p.StringC(this), found = matches(text, pattern), out = "", from = 0;
    for (var i = 0; i < found.length; i++) {
      var groups = found[i].groups, index = found[i].index, args = p.ArraySlice(groups);
      args[args.length] = index;
      args[args.length] = text;
      out += p.StringSubstring(text, from, index) + p.StringC(apply(fn, undefined, args));
      from = index + groups[0].length;
    }
    return out + p.StringSubstring(text, from, text.length);
  });

  // JSON.parse with a reviver ---------------------------------------------------------------------

  function revive(holder, key, reviver) {
    var value = holder[key];
    if (typeof value === "object" && value !== null) {
      var keys = p.ObjectKeys(value);
      for (var i = 0; i < keys.length; i++) {
        var inner = revive(value, keys[i], reviver);
        if (inner === undefined) delete value[keys[i]];
        else value[keys[i]] = inner;
      }
    }
    return apply(reviver, holder, [key, value]);
  }

  replace(JSON, "parse", 2, function (text, reviver) {
    var value = p.JSONParse(text);
    return typeof reviver === "function" ? revive({ "": value }, "", reviver) : value;
  });
})
