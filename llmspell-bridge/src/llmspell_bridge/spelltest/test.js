// The `Test` global in JavaScript, ES5.1 so that every engine runs it: suites and expectations, in
// the language they are written in.
//
// Runs in the session before the test file. Its value is what the host drives: `collect`, then
// `run` for each test.
var llmspellTest = (function (declared) {
  "use strict";
  var MOST_SHOWN = 200;

  function fail(message, details) {
    var error = new Error(message);
    error.code = "test.failed";
    error.details = details;
    throw error;
  }

  function misused(message) {
    var error = new Error(message);
    error.code = "input.invalid";
    throw error;
  }

  // values ---------------------------------------------------------------------------------------

  function isObject(value) { return typeof value === "object" && value !== null; }
  function isPromise(value) { return isObject(value) && typeof value.then === "function"; }

  function short(text) {
    return text.length <= MOST_SHOWN ? text : text.slice(0, MOST_SHOWN) + "...";
  }

  function show(value) {
    if (typeof value === "function") return "the function";
    if (isPromise(value)) return "a promise";
    if (value instanceof RegExp || value instanceof Error) return short(String(value));
    if (typeof value !== "string" && !isObject(value)) return String(value);
    try {
      return short(JSON.stringify(value));
    } catch (error) {
      return short(String(value));
    }
  }

  function same(a, b) { return a === b || (a !== a && b !== b); }

  function equal(a, b, seen) {
    if (same(a, b)) return true;
    if (!isObject(a) || !isObject(b)) return false;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    for (var i = 0; i < seen.length; i++) {
      if (seen[i][0] === a && seen[i][1] === b) return true;
    }
    seen = seen.concat([[a, b]]);
    return within(a, b, seen) && within(b, a, seen);
  }

  // Whether each field of `a` is in `b`; one that is undefined is as good as absent.
  function within(a, b, seen) {
    return Object.keys(a).every(function (key) { return equal(a[key], b[key], seen); });
  }

  function contains(value, part) {
    if (typeof value === "string") return value.indexOf(String(part)) >= 0;
    if (!isObject(value)) return false;
    return Object.keys(value).some(function (key) { return equal(value[key], part, []); });
  }

  function matches(value, pattern) {
    if (typeof value !== "string") return false;
    return (pattern instanceof RegExp ? pattern : new RegExp(pattern)).test(value);
  }

  function plainName(name) { return String(name).replace(/_/g, "-"); }

  function has(value, wanted) {
    if (!isObject(value) || !isObject(wanted)) return equal(value, wanted, []);
    return Object.keys(wanted).every(function (key) { return has(value[key], wanted[key]); });
  }

  function outputOf(value, field, what) {
    var list = isObject(value) && value[field];
    if (!Array.isArray(list)) misused(what + " expects an agent's output");
    return list;
  }

  // expectations ---------------------------------------------------------------------------------

  // Each gives whether it holds, and what was expected.
  var matchers = {
    to_equal: function (value, wanted) { return [equal(value, wanted, []), "to equal " + show(wanted)]; },
    to_be: function (value, wanted) { return [same(value, wanted), "to be " + show(wanted)]; },
    to_be_nil: function (value) { return [value === null || value === undefined, "to be null"]; },
    to_be_truthy: function (value) { return [!!value, "to be truthy"]; },
    to_be_falsy: function (value) { return [!value, "to be falsy"]; },
    to_contain: function (value, part) { return [contains(value, part), "to contain " + show(part)]; },
    to_match: function (value, pattern) { return [matches(value, pattern), "to match " + show(pattern)]; },
    to_have_length: function (value, length) {
      var counts = typeof value === "string" || Array.isArray(value);
      return [counts && value.length === length, "to have the length " + show(length)];
    },
    to_be_greater_than: function (value, other) {
      return [typeof value === typeof other && value > other, "to be greater than " + show(other)];
    },
    to_be_less_than: function (value, other) {
      return [typeof value === typeof other && value < other, "to be less than " + show(other)];
    },
    to_be_close_to: function (value, other, distance) {
      distance = distance === undefined ? 1e-9 : distance;
      var close = typeof value === "number" && Math.abs(value - other) <= distance;
      return [close, "to be within " + show(distance) + " of " + show(other)];
    },
    to_have_called: function (value, tool, wanted) {
      var calls = outputOf(value, "tool_calls", "to_have_called");
      var called = calls.some(function (call) {
        return plainName(call.name) === plainName(tool) && (wanted === undefined || has(call.arguments, wanted));
      });
      var names = calls.map(function (call) { return call.name; }).join(", ") || "none";
      var using = wanted === undefined ? "" : " with " + show(wanted);
      return [called, "to have called " + tool + using + "; it called " + names];
    },
    to_have_handed_off_to: function (value) {
      var went = outputOf(value, "handoff", "to_have_handed_off_to");
      var wanted = Array.prototype.slice.call(arguments, 1);
      var what = "to have handed off to " + (wanted.join(", ") || "nobody");
      return [equal(went.slice(), wanted, []), what + "; it went to " + (went.join(", ") || "nobody")];
    },
  };

  function judge(value, negated, verdict, thrown) {
    if (verdict[0] !== negated) return;
    var what = verdict[1] + (thrown === undefined ? "" : ", which threw " + show(String(thrown)));
    var word = negated ? "never " : "";
    fail("expected " + show(value) + " " + word + what, { expected: word + what, actual: show(value) });
  }

  function toThrow(value, negated, part) {
    if (typeof value !== "function") misused("to_throw expects a function: expect(() => ...)");
    var what = part === undefined ? "to throw" : "to throw " + show(part);
    function threw(error) {
      var code = isObject(error) ? error.code : undefined;
      var text = String(error);
      var fits = part === undefined || code === part
        || (part instanceof RegExp ? part.test(text) : text.indexOf(String(part)) >= 0);
      judge(value, negated, [fits, what], error);
    }
    function returned() { judge(value, negated, [false, what]); }
    var result;
    try {
      result = value();
    } catch (error) {
      return threw(error);
    }
    return isPromise(result) ? result.then(returned, threw) : returned();
  }

  function camel(name) {
    return name.replace(/_([a-z])/g, function (_, letter) { return letter.toUpperCase(); });
  }

  function expectation(value, negated) {
    var it = {};
    function add(name, fn) {
      it[name] = fn;
      it[camel(name)] = fn;
    }
    Object.keys(matchers).forEach(function (name) {
      add(name, function () {
        if (isPromise(value)) misused("expect was given a promise: await it first");
        var given = Array.prototype.slice.call(arguments);
        judge(value, negated, matchers[name].apply(null, [value].concat(given)));
      });
    });
    add("to_throw", function (part) { return toThrow(value, negated, part); });
    add("to_be_null", it.to_be_nil);
    if (!negated) it.never = it.not = expectation(value, true);
    return it;
  }

  // suites ---------------------------------------------------------------------------------------

  function suite(title, parent) { return { title: title, parent: parent, items: [], before: [] }; }

  var root = suite(null, null), current = root, tests = [];

  function declare(what, title, fn, list) {
    if (!current) misused("Test." + what + " is called while a test runs: declare tests before");
    if (typeof fn !== "function") misused("Test." + what + " expects a function");
    current[list].push({ what: what, title: title, fn: fn });
  }

  function titled(what, title, fn) {
    if (typeof title !== "string") misused("Test." + what + " expects a title, then a function");
    declare(what, title, fn, "items");
  }

  // Calls `step` with each, one after the other, also where it gives a promise.
  function each(list, step, from) {
    for (var i = from || 0; i < list.length; i++) {
      var result = step(list[i]);
      if (isPromise(result)) {
        return result.then(function () { return each(list, step, i + 1); });
      }
    }
    return undefined;
  }

  function then(result, next) { return isPromise(result) ? result.then(next) : next(); }

  function collect(one) {
    return each(one.items, function (item) {
      if (item.what === "it") {
        tests.push({ title: item.title, fn: item.fn, suite: one });
        return undefined;
      }
      var inner = current = suite(item.title, one);
      return then(item.fn(), function () {
        return then(collect(inner), function () { current = one; });
      });
    });
  }

  function path(one) {
    return one.parent ? path(one.parent).concat([one.title]) : [];
  }

  function hooks(one) {
    return (one.parent ? hooks(one.parent) : []).concat(one.before);
  }

  var own = {
    describe: function (title, fn) { titled("describe", title, fn); },
    it: function (title, fn) { titled("it", title, fn); },
    before_each: function (fn) { declare("before_each", null, fn, "before"); },
    expect: function (value) { return expectation(value, false); },
    scripted_model: function (replies) { return declared.scripted_model(replies); },
    fake_tool: function (name, answers) { return declared.fake_tool(name, answers); },
    cassette: function (path, options) { return declared.cassette(path, options); },
  };
  own.beforeEach = own.before_each;
  own.scriptedModel = own.scripted_model;
  own.fakeTool = own.fake_tool;
  Test = own;

  return {
    collect: function () {
      return then(collect(root), function () {
        current = null;
        return tests.map(function (test) { return { title: test.title, suite: path(test.suite) }; });
      });
    },
    run: function (index) {
      var test = tests[index - 1];
      return then(each(hooks(test.suite), function (hook) { return hook.fn(); }), test.fn);
    },
  };
})(Test);
return llmspellTest;
