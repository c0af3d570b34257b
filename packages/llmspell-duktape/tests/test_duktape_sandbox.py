"""What a hostile ES5.1 script reaches, and how it ends. Every one runs in a limited worker."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_bridge.worker.testing import EngineHost, engine_host, manifest
from llmspell_core.errors import ScriptError

pytest.importorskip("pyduktape2")

LIMITS = {"memory_mb": 16, "cpu_s": 1, "tasks": 100, "value_mb": 1}


def play(body: Callable[[EngineHost], Awaitable[Any]] | str, **options: Any) -> Any:
    async def main() -> Any:
        async with engine_host(
            "llmspell_duktape.guest",
            "worker",
            requires=("pyduktape2", "llmspell_duktape"),
            **{"globals": [manifest("Tool", "echo", "keep")], "limits": LIMITS, **options},
        ) as host:
            host.methods["Tool.echo"] = lambda value=None: value
            host.methods["Tool.keep"] = lambda value: None
            if isinstance(body, str):
                return await asyncio.wait_for(host.run(body, "spell.js"), 20)
            return await asyncio.wait_for(body(host), 20)

    return asyncio.run(main())


def failing(source: str, **options: Any) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        play(source, **options)
    return caught.value


# -- what is there -------------------------------------------------------------------------------


LANGUAGE = (
    "Array", "ArrayBuffer", "Boolean", "DataView", "Date", "Error", "EvalError", "Float32Array",
    "Float64Array", "Function", "Infinity", "Int16Array", "Int32Array", "Int8Array", "JSON",
    "Math", "NaN", "Number", "Object", "Proxy", "RangeError", "ReferenceError", "Reflect",
    "RegExp", "String", "Symbol", "SyntaxError", "TypeError", "URIError", "Uint16Array",
    "Uint32Array", "Uint8Array", "Uint8ClampedArray", "decodeURI", "decodeURIComponent",
    "encodeURI", "encodeURIComponent", "escape", "eval", "globalThis", "isFinite", "isNaN",
    "parseFloat", "parseInt", "undefined", "unescape",
)  # fmt: skip
OWN = (
    "ARGS", "Async", "Debug", "Logger", "Tool", "arg", "args", "console", "print", "process",
    "require", "stderr", "stdin", "stdout",
)  # fmt: skip


def test_the_globals_are_the_documented_ones() -> None:
    source = "return Object.getOwnPropertyNames(globalThis).sort()"
    assert set(play(source)) == {*LANGUAGE, *OWN}
    more = {
        "clearInterval", "clearTimeout", "performance", "setInterval", "setTimeout", "TextDecoder",
        "TextEncoder",
    }  # fmt: skip
    assert set(play(source, libraries=["timers", "TextEncoder"])) == {*LANGUAGE, *OWN, *more}


WALK = """
var seen = [], bad = [];
function note(path, value) { bad.push(path + ": " + String(value)) }
function look(value, path, depth) {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return;
  if (seen.indexOf(value) >= 0 || depth > 8) return;
  seen.push(value);
  var text = Object.prototype.toString.call(value);
  if (/Thread|Duktape|Pointer|Python|global$/.test(text) && value !== globalThis) note(path, text);
  if (typeof value === "function" && typeof value.name === "string"
      && /^(thread|modSearch|fin|act|info|gc)$/i.test(value.name)
      && /native/.test(Function.prototype.toString.call(value))) note(path, value.name);
  var keys = Reflect.ownKeys(value);
  for (var i = 0; i < keys.length; i++) {
    var found = Object.getOwnPropertyDescriptor(value, keys[i]), at = path + "." + String(keys[i]);
    if (!found) {
      try { look(value[keys[i]], at, depth + 1) } catch (e) { look(e, at + "!", depth + 1) }
      continue;
    }
    look(found.value, at, depth + 1);
    look(found.get, at + "<", depth + 1);
    look(found.set, at + ">", depth + 1);
    if (!found.get) continue;
    try { look(value[keys[i]], at + "()", depth + 1) } catch (e) { look(e, at, depth + 1) }
  }
  look(Object.getPrototypeOf(value), path + "^", depth + 1);
}
look(globalThis, "globalThis", 0);
look(Async.spawn(function () {}), "task", 0);
look(Async.queue(), "queue", 0);
look(Tool.echo({a: [1]}), "result", 0);
try { Tool.nothing() } catch (e) { look(e, "error", 0) }
try { Async.queue().pop() } catch (e) { look(e, "error", 0) }
look((function () { return arguments })(), "arguments", 0);
return [seen.length > 300, bad];
"""


def test_nothing_of_duktape_or_python_is_reachable() -> None:
    assert play(WALK, libraries=["all"], limits={}) == [True, []]


@pytest.mark.parametrize(
    "source",
    [
        "return typeof Duktape + typeof CBOR + typeof Buffer",
        "return eval('typeof Duktape + typeof CBOR + typeof Buffer')",
        "return Function('return typeof Duktape + typeof CBOR + typeof Buffer')()",
        "return (function () {"
        " return typeof this.Duktape + typeof this.CBOR + typeof this.Buffer })()",
    ],
)
def test_eval_and_function_reach_nothing_more(source: str) -> None:
    assert play(source) == "undefined" * 3


def test_no_key_of_the_engine_itself_can_be_made() -> None:
    source = r"""
        var made = [String.fromCharCode(0xff) + "Finalizer", "\u00ffFinalizer",
          new TextDecoder().decode(new Uint8Array([255, 70, 105, 110, 97, 108])) + "izer",
          unescape("%ffFinalizer")], ran = 0;
        made.forEach(function (key) {
          var o = {};
          o[key] = function () { ran++ };
          o = null;
        });
        return [typeof String.fromBufferRaw, ran]
    """
    assert play(source, libraries=["all"]) == ["undefined", 0]


def test_a_script_that_gets_hold_of_the_preludes_key_learns_nothing() -> None:
    source = """
        var keys = [], spy = new Proxy({}, {get: function (t, k) { keys.push(k); return t[k] }});
        Tool.echo(spy);
        var key = keys.filter(function (k) { return typeof k === "symbol" })[0];
        var t = Async.spawn(print), f = function () {};
        Tool.keep(f);
        return [typeof key, t[key] === undefined, f[key] === undefined, Tool[key] === undefined]
    """
    assert play(source) == ["symbol", True, True, True]


def test_a_copied_mark_does_not_stand_for_another_function() -> None:
    async def body(host: EngineHost) -> None:
        first = await host.run("f = function () { return 'f' }; return f")
        second = await host.run(
            "g = function () { return 'g' };"
            " Object.getOwnPropertySymbols(f).forEach(function (key) {"
            " Object.defineProperty(g, key, Object.getOwnPropertyDescriptor(f, key)) }); return g"
        )
        assert first.handle != second.handle
        assert [await first(), await second()] == ["f", "g"]

    play(body)


# -- what a script breaks, it breaks for itself --------------------------------------------------

VANDALISM = """
    var owners = [Object, Array, String, Function,
      Object.prototype, Array.prototype, String.prototype, Function.prototype, Error.prototype,
      RegExp.prototype, Number.prototype, JSON, Math, Reflect, Date.prototype];
    var tool = Tool, spawn = Async.spawn, all = Async.all, out = print;
    var list = Object.getOwnPropertyNames, define = Object.defineProperty;
    for (var i = 0; i < owners.length; i++) {
      for (var found = list(owners[i]), j = 0; j < found.length; j++) {
        if (found[j] === "constructor") continue;
        try { define(owners[i], found[j], {value: null, configurable: true}) } catch (e) {}
      }
    }
    define(Object.prototype, "toJSON", {value: 1});
    define(Array.prototype, "0", {set: function () { throw null }});
    define(Object.prototype, "done", {set: function () { throw null }});
"""


def test_a_script_that_wrecks_the_language_still_speaks_to_the_host() -> None:
    source = VANDALISM + (
        "out({a: [1]}); var r = tool.echo({x: [1, 'é']});"
        " var two = all([function () { return tool.echo(1) }, spawn(function () { return 2 })]);"
        " return [r, two]"
    )
    assert play(source) == [{"x": [1, "é"]}, [1, 2]]


@pytest.mark.parametrize(
    "thrown",
    [
        "null",
        "undefined",
        "{get stack() { throw 1 }}",
        "{get message() { throw null }}",
        "{toString: function () { throw null }, message: {}}",
        "Object.create(null)",
        "Object.defineProperty(new Error('x'), 'message', {get: function () { throw null }})",
        "Object.defineProperty(new Error('x'), 'name', {get: function () { throw null }})",
        "new Proxy({}, {get: function () { throw null }, ownKeys: function () { throw null }})",
        "new Proxy(new Error('x'), {get: function () { throw null }})",
        "Symbol('x')",
        "(function f() { try { f() } catch (e) { throw null } })",
        "Object.setPrototypeOf({}, new Proxy(Error.prototype, {}))",
    ],
)
def test_nothing_that_is_thrown_ends_the_worker(thrown: str) -> None:
    async def body(host: EngineHost) -> None:
        with pytest.raises(ScriptError) as caught:
            await host.run(f"throw {thrown}", "spell.js")
        assert caught.value.code == "script.error"
        await host.run(f"Async.spawn(function () {{ throw {thrown} }})")
        await host.wait_idle()
        assert await host.run(f"try {{ throw {thrown} }} catch (e) {{ return 5 }}") == 5

    play(body)


@pytest.mark.parametrize(
    "source",
    [
        "return {get a() { throw null }}",
        "return {toJSON: function () { throw null }}",
        "return new Proxy([], {get: function () { throw null }})",
        "print({get a() { throw null }}); print(new Proxy({}, {get: function () { throw 1 }}))",
        "(function f() { f() })()",
        "var t = []; for (var i = 0; i < 1e5; i++) t = [t]; JSON.stringify(t)",
        "JSON.parse(Array(1e5).join('['))",
        "Function(Array(1e5).join('('))",
        "RegExp(Array(1e5).join('('))",
        "eval(Array(1e5).join('{'))",
        "Object.prototype.toString = function () { throw null }; return [{}]",
        "new Array(-1)",
        "'x'.repeat(1e10)",
        "Object.defineProperty(Array.prototype, '0', {set: function () { throw null }});"
        " [].push(1)",
        "throw {toString: function () { for (;;); }, message: {}}",
    ],
)
def test_a_failure_of_the_script_is_an_error_and_the_worker_lives(source: str) -> None:
    async def body(host: EngineHost) -> None:
        with contextlib.suppress(ScriptError):
            await host.run(source, "spell.js")
        assert host.crash is None
        assert await host.run("return 5") == 5

    play(body)


# -- limits --------------------------------------------------------------------------------------

ENDLESS = [
    "for (;;);",
    "for (;;) { try { for (;;); } catch (e) {} finally { continue } }",
    "(function f() { return f() })()",
    "/(x+x+)+y/.exec(Array(60).join('x'))",
    "throw {get message() { for (;;); }}",
    "Async.spawn(function f() { Async.spawn(f); Async.spawn(f); Async.yield() });"
    " Async.sleep(60000)",
    "return {get a() { for (;;); }}",
    "Async.spawn(function () { for (;;); }); Async.sleep(60000)",
    "for (;;) Async.yield()",
    "for (;;) { try { f() } catch (e) {} } function f() { f() }",
    "[2, 1].sort(function () { for (;;); })",
    "var e = new Error(); Object.defineProperty(e, 'name', {get: function () { for (;;); }});"
    " throw e",
    "for (;;) eval('1')",
    "for (;;) Async.spawn(function () {}).await()",
    "for (;;) print()",
]


@pytest.mark.parametrize("source", ENDLESS)
def test_what_does_not_end_is_ended_by_the_limit_of_cpu_time(source: str) -> None:
    async def body(host: EngineHost) -> float:
        begun = time.monotonic()
        with pytest.raises(ScriptError) as caught:
            await host.run(source, "spell.js")
        assert caught.value.code == "script.cpu_limit"
        return time.monotonic() - begun

    # On a busy machine a second of CPU time takes longer.
    assert play(body, limits={**LIMITS, "cpu_s": 0.3}) < 10


HUNGRY = [
    "var l = []; for (;;) l.push(new Array(1000).join('x') + l.length)",
    "var s = 'x'; for (;;) s += s",
    "var l = []; for (;;) l.push(new Uint8Array(1e6))",
    "new ArrayBuffer(2e9)",
    "var l = []; for (;;) try { l.push(new Uint8Array(1e6)) } catch (e) { }",
    "var o = {}; for (var i = 0; ; i++) o['k' + i] = {}",
    "var l = []; for (;;) l.push(function () { return l })",
    "print(new Array(1e8).join('x'))",
    "return Tool.echo(new Array(1e8).join('x'))",
    "var l = []; for (;;) { l.push(new Array(100000).join('x') + l.length); Async.yield() }",
]


@pytest.mark.parametrize("source", HUNGRY)
def test_memory_is_bounded(source: str) -> None:
    error = failing(source, limits={**LIMITS, "cpu_s": 2})
    assert error.code in {"script.memory_limit", "script.cpu_limit", "limit.value_size"}, error


def test_memory_that_ran_out_is_not_survived_even_when_it_is_caught() -> None:
    async def body(host: EngineHost) -> None:
        with pytest.raises(ScriptError) as caught:
            await host.run(
                "try { var l = []; for (;;) l.push(new Uint8Array(1e6)) } catch (e) { l = null }"
                " return 'survived'"
            )
        assert caught.value.code == "script.memory_limit"

    play(body)


def test_without_limits_a_script_may_use_more() -> None:
    source = (
        "var l = []; for (var i = 0; i < 100; i++) l.push(new Uint8Array(1e6)); return l.length"
    )
    assert play(source, limits={}) == 100
    assert play(source, limits={"memory_mb": 256}) == 100
