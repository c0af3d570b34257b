"""Sessions of the Duktape engine, which are always in a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_bridge.worker.testing import EngineHost, Function, engine_host, manifest
from llmspell_core.errors import ScriptError

pytest.importorskip("pyduktape2")

TOOL = manifest(
    "Tool", "add", "slow_add", "fail", "slow_fail", "echo", "each", "give", "get_name", "count"
)


def play(body: Callable[[EngineHost], Awaitable[Any]] | str, **options: Any) -> Any:
    """Run an async body, or a source, with a host."""
    options = {"globals": [TOOL], "libraries": ["timers", "TextEncoder"], **options}

    async def main() -> Any:
        async with engine_host(
            "llmspell_duktape.guest",
            "worker",
            requires=("pyduktape2", "llmspell_duktape"),
            **options,
        ) as host:
            prepare(host)
            if isinstance(body, str):
                return await asyncio.wait_for(host.run(body, "spell.js"), 20)
            return await asyncio.wait_for(body(host), 20)

    return asyncio.run(main())


def prepare(host: EngineHost) -> None:
    async def slow_add(a: int, b: int) -> int:
        await asyncio.sleep(0.001)
        return a + b

    def fail() -> None:
        raise ScriptError("no such tool", code="tool.not_found", hint="ask", details={"a": [1]})

    async def slow_fail() -> None:
        fail()

    async def each(items: list[Any], function: Function) -> list[Any]:
        return [await function(item) for item in items]

    host.methods.update(
        {
            "Tool.add": lambda a, b: a + b,
            "Tool.slow_add": slow_add,
            "Tool.fail": fail,
            "Tool.slow_fail": slow_fail,
            "Tool.echo": lambda value=None: value,
            "Tool.each": each,
            "Tool.get_name": lambda: "tool",
            "Tool.count": lambda *args: len(args),
        }
    )


def failing(source: str, **options: Any) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        play(source, **options)
    return caught.value


# -- calls ---------------------------------------------------------------------------------------


def test_host_calls_look_synchronous() -> None:
    assert play("return Tool.add(Tool.slow_add(1, 2), Tool.slowAdd(3, 4))") == 10


def test_arguments_keep_their_number() -> None:
    assert play("return [Tool.count(), Tool.count(null), Tool.count(1, undefined, null)]") == [
        0, 1, 3,
    ]  # fmt: skip


def test_methods_are_bound_and_spelled_both_ways() -> None:
    assert play("var f = Tool.slow_add; return f(1, 2) + Tool.slowAdd(1, 2)") == 6
    assert play("return Tool.getName() + Tool.get_name()") == "tooltool"


def test_the_main_chunk_has_the_value_of_its_return() -> None:
    assert play("return 1") == 1
    assert play("var x = 1; x") is None
    assert play("#!/usr/bin/env llmspell\nreturn 2") == 2
    assert play("\ufeffreturn 3") == 3
    assert play("'use strict'; return this === undefined") is True
    assert play("// a\n/* b */ 'use strict'; return (function () { return !this })()") is True
    assert play("return this === globalThis && f(); function f() { return 4 }") == 4
    assert play("return 5 // the end") == 5


def test_fifty_waits_overlap() -> None:
    async def body(host: EngineHost) -> float:
        begun = asyncio.get_running_loop().time()
        await host.run(
            "var t = []; for (var i = 0; i < 50; i++) t[i] = function () { Async.sleep(50) };"
            " Async.all(t)"
        )
        return asyncio.get_running_loop().time() - begun

    assert play(body) < 1


def test_a_call_belongs_to_the_run_or_callback_that_made_it() -> None:
    async def body(host: EngineHost) -> list[int]:
        function = await host.run("Tool.add(1, 1); return function () { Tool.add(1, 1) }")
        await function()
        await host.run("Async.spawn(function () { Tool.add(1, 1) }).await()")
        return host.origins

    assert play(body) == [1, 2, 3]


# -- errors --------------------------------------------------------------------------------------


def test_host_errors_are_errors_with_the_line_of_the_script() -> None:
    for method in ("fail", "slow_fail"):
        error = failing(f"function f() {{\n  Tool.{method}();\n}}\nf();")
        assert (error.code, error.message, error.hint) == ("tool.not_found", "no such tool", "ask")
        assert error.source == "spell.js:2"
        assert error.details == {"a": [1]}
        assert error.stack == "at f (spell.js:2)\nat spell.js:4"


def test_a_tail_call_of_the_main_chunk_keeps_its_line() -> None:
    assert failing("\nreturn Tool.fail()").source == "spell.js:2"


def test_errors_can_be_caught_and_read() -> None:
    source = """
        try { Tool.slow_fail() } catch (e) {
          return [e instanceof Error, e.name, e.code, String(e), "" + e, e.details.a[0],
            e.retryable, e.source, e.stack, Object.keys(e)]
        }
    """
    text = "spell.js:2: no such tool"
    assert play(source) == [
        True, "LLMSpellError", "tool.not_found", text, text, 1, False, "spell.js:2",
        "at spell.js:2", ["message", "code", "hint", "details", "retryable", "source"],
    ]  # fmt: skip


def test_errors_of_the_engine_stay_what_they_are() -> None:
    assert play("try { throw 'x' } catch (e) { return e }") == "x"
    assert play("try { null.x } catch (e) { return e instanceof TypeError }") is True
    assert play("var t = {}; try { throw t } catch (e) { return e === t }") is True
    source = (
        "var t = Async.spawn(function () { throw 'x' }); try { t.await() } catch (e) { return e }"
    )
    assert play(source) == "x"


@pytest.mark.parametrize(
    ("source", "message", "place"),
    [
        ("\nthrow new Error('boom')", "boom", "spell.js:2"),
        ("\n\nthrow 'boom'", "boom", "spell.js:3"),
        ("\nthrow {message: 'mine'}", "mine", "spell.js:2"),
        ("\n\nnull.x", "TypeError: cannot read property 'x' of null", "spell.js:3"),
        ("nothing()", "ReferenceError: identifier 'nothing' undefined", "spell.js:1"),
        ("throw new RangeError('r')", "RangeError: r", "spell.js:1"),
        ("throw [1, 2]", "[1,2]", "spell.js:1"),
        ("throw null", "null", "spell.js:1"),
        ("throw undefined", "undefined", "spell.js:1"),
        ("throw print", "a function was thrown", "spell.js:1"),
        ("\neval('null.x')", "cannot read property 'x'", "spell.js:2"),
        ("\nFunction('null.x')()", "cannot read property 'x'", "spell.js:2"),
        ("\n[1].map(function () { throw new Error('in') })", "in", "spell.js:2"),
        (
            "function Mine(m) { this.message = m }\nMine.prototype = new Error();"
            " Mine.prototype.name = 'Mine';\nthrow new Mine('own')",
            "Mine: own",
            "spell.js:3",
        ),
    ],
)
def test_uncaught_errors_say_what_and_where(source: str, message: str, place: str) -> None:
    error = failing(source)
    assert (error.code, error.source) == ("script.error", place)
    assert message in error.message


def test_a_script_may_throw_errors_with_fields() -> None:
    for thrown in (
        "{code: 'my.code', message: 'm', details: {n: 1}, hint: 'h'}",
        "(function () { var e = new Error('m'); e.code = 'my.code'; e.details = {n: 1};"
        " e.hint = 'h'; return e })()",
    ):
        error = failing(f"throw {thrown}")
        assert (error.code, error.message, error.hint, error.details) == (
            "my.code", "m", "h", {"n": 1},
        )  # fmt: skip


def test_bad_details_do_not_hide_an_error() -> None:
    error = failing("throw {code: 'my.code', message: 'm', details: {f: print}}")
    assert (error.code, error.message) == ("my.code", "m")


def test_a_result_that_cannot_cross_is_the_error_of_the_run() -> None:
    assert failing("var t = []; t[0] = t; return t").code == "value.cycle"


# -- waiting anywhere ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("try { return Tool.slow_add(1, 2) } finally { Tool.slow_add(1, 2) }", 3),
        ("return Tool.slow_add.call(null, 1, 2) + Tool.slow_add.apply(null, [1, 2])", 6),
        ("return Tool.slow_add.bind(null, 1)(2)", 3),
        ("function K() { this.v = Tool.slow_add(1, 2) } return new K().v", 3),
        ("return Reflect.apply(Tool.slow_add, null, [1, 2])", 3),
        ("return Function('return Tool.slow_add(1, 2)')()", 3),
        ("return [1, 2].map(function (x) { return Tool.slow_add(x, 1) })", [2, 3]),
        ("var s = 0; [1, 2].forEach(function (x) { s += Tool.slow_add(x, 1) }); return s", 5),
        ("return [1, 2, 3].filter(function (x) { return Tool.slow_add(x, 0) > 1 })", [2, 3]),
        ("return [1, 2].reduce(function (a, x) { return Tool.slow_add(a, x) }, 10)", 13),
        ("return [1, 2].reduceRight(function (a, x) { return Tool.slow_add(a, x) })", 3),
        ("return [1, 2].some(function (x) { return Tool.slow_add(x, 0) === 2 })", True),
        ("return [1, 2].every(function (x) { return Tool.slow_add(x, 0) === 2 })", False),
        ("return [3, 1, 2].sort(function (a, b) { return Tool.slow_add(a, 0) - b })", [1, 2, 3]),
        ("return 'a-b'.replace(/[a-z]/g, function (c) { return c + Tool.slow_add(1, 1) })",
         "a2-b2"),
        ("return JSON.parse('[1, 2]', function (k, v) { return k ? Tool.slow_add(v, 1) : v })",
         [2, 3]),
        ("return JSON.decode(JSON.encode({toJSON: function () { return Tool.slow_add(1, 2) }}))",
         3),
        ("var p = new Proxy(function () {}, {apply: function (t, s, a) {"
         " return Tool.slow_add(a[0], 1) }}); return p(1)", 2),
    ],
)  # fmt: skip
def test_a_host_call_may_wait_here(source: str, value: Any) -> None:
    assert play(source) == value


@pytest.mark.parametrize("method", ["add", "slow_add"])
@pytest.mark.parametrize(
    "source",
    [
        "return {get x() { return Tool.%s(1, 1) }}.x",
        "return String({toString: function () { return 'x' + Tool.%s(1, 1) }})",
        "return +{valueOf: function () { return Tool.%s(1, 1) }}",
        "return new Proxy({}, {get: function () { return Tool.%s(1, 1) }}).x",
        "return eval('Tool.%s(1, 1)')",
        "return JSON.stringify({toJSON: function () { return Tool.%s(1, 1) }})",
    ],
)
def test_a_host_call_cannot_wait_here_whatever_its_kind(source: str, method: str) -> None:
    async def body(host: EngineHost) -> None:
        with pytest.raises(ScriptError) as caught:
            await host.run(source % method, "spell.js")
        assert caught.value.code == "script.cannot_wait_here"
        assert host.origins == []
        assert await host.run(f"return Tool.{method}(1, 1)") == 2

    play(body)


# -- the functions that are replaced -------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("[1, , 3].map(function (x) { return x * 2 })", [2, None, 6]),
        ("1 in [1, , 3].map(function (x) { return x })", False),
        ("[1, , 3].filter(function () { return true }).length", 2),
        ("[1, 2].map(function (x, i, l) { return [this.k, i, l.length] }, {k: 5})",
         [[5, 0, 2], [5, 1, 2]]),
        ("Array.prototype.map.call('ab', function (c) { return c + c })", ["aa", "bb"]),
        ("[].reduce(function () {}, 7)", 7),
        ("[3, undefined, 1, , 2].sort(function (a, b) { return a - b }).length", 5),
        ("[3, undefined, 1, 2].sort(function (a, b) { return a - b })", [1, 2, 3, None]),
        ("[2, 10, 1].sort()", [1, 10, 2]),
        ("[['b', 1], ['a', 1], ['c', 0]].sort(function (x, y) { return x[1] - y[1] })",
         [["c", 0], ["b", 1], ["a", 1]]),
        ("'abc'.replace('b', function (m, at, s) { return m + at + s })", "ab1abcc"),
        ("'x1y22'.replace(/([a-z])(\\d+)/g, function (m, a, b) { return b + a })", "1x22y"),
        ("'ab'.replace(/x*/g, function () { return '-' })", "-a-b-"),
        ("'$1'.replace('$1', '$$')", "$"),
        ("JSON.parse('{\"a\": 1, \"b\": 2}', function (k, v) { if (k !== 'a') return v })",
         {"b": 2}),
        ("[1].forEach(function () {})", None),
        ("Array.prototype.map.length + Array.prototype.map.name", "1map"),
    ],
)  # fmt: skip
def test_the_replaced_functions_do_what_the_language_says(source: str, value: Any) -> None:
    assert play(f"return {source}") == value


@pytest.mark.parametrize("source", ["[].reduce(function () {})", "[1].map(5)", "[1].sort(5)"])
def test_the_replaced_functions_refuse_what_the_language_refuses(source: str) -> None:
    assert failing(source).message.startswith("TypeError")


# -- functions of the script ---------------------------------------------------------------------


def test_the_host_calls_functions_that_wait_themselves() -> None:
    source = "return Tool.each([1, 2, 3], function (x) { Async.sleep(1); return x * 2 })"
    assert play(source) == [2, 4, 6]


def test_the_error_of_a_callback_passes_through_the_host() -> None:
    source = (
        "try { Tool.each([1], function () {\n throw new Error('inner') }) }"
        " catch (e) { return String(e) }"
    )
    assert play(source) == "spell.js:2: inner"


def test_a_function_has_one_handle_while_it_is_held() -> None:
    async def body(host: EngineHost) -> None:
        first = await host.run("f = function () { return 1 }; return f")
        second = await host.run("return f")
        assert first.handle == second.handle
        # It was sent twice: one release leaves it alive, as it may cross a second sending.
        host.session.release([first.handle])
        assert await first() == 1
        host.session.release([first.handle])
        with pytest.raises(ScriptError) as caught:
            await first()
        assert caught.value.code == "script.released"
        assert await host.run("return f()") == 1

    play(body)


def test_a_function_given_back_is_the_same_even_when_it_is_frozen() -> None:
    async def body(host: EngineHost) -> None:
        function = await host.run("f = Object.freeze(function () {}); return f")
        host.methods["Tool.give"] = lambda: {"$f": function.handle}
        assert await host.run("return Tool.give() === f") is True

    play(body)


def test_callbacks_run_while_the_script_waits() -> None:
    async def body(host: EngineHost) -> Any:
        kept: list[Function] = []
        host.methods["Tool.give"] = kept.append
        _, end = host.start(
            "var got; Tool.give(function (v) { got = v }); Async.sleep(50); return got"
        )
        while not kept:
            await asyncio.sleep(0.001)
        await kept[0]("late")
        return await end

    assert play(body) == "late"


# -- session -------------------------------------------------------------------------------------


def test_a_session_is_idle_when_its_last_task_has_ended() -> None:
    async def body(host: EngineHost) -> None:
        assert host.session.idle()
        source = "Async.spawn(function () { Async.sleep(30); done = true }); return 1"
        assert await host.run(source) == 1
        assert not host.session.idle()
        assert host.idled == 0
        await host.wait_idle()
        assert host.idled == 1
        assert await host.run("return done") is True

    play(body)


def test_cancelling_a_run_throws_in_the_script() -> None:
    async def body(host: EngineHost) -> Any:
        number, end = host.start(
            "try { Async.sleep(60000) } catch (e) { return [e.code, String(e)] }", "spell.js"
        )
        while not host.origins:
            await asyncio.sleep(0.001)
        host.session.cancel(number)
        value = await end
        assert host.cancelled
        return value

    assert play(body) == ["cancelled", "spell.js:1: cancelled"]


def test_an_unhandled_failure_of_a_task_is_reported_once() -> None:
    async def body(host: EngineHost) -> list[Any]:
        await host.run(
            "Async.spawn(function () {\n throw new Error('lost') });"
            " var t = Async.spawn(function () { throw 'seen' }); try { t.await() } catch (e) {}"
            " var c = Async.spawn(function () { Async.sleep(1000) }); Async.yield(); c.cancel()",
            "spell.js",
        )
        await host.wait_idle()
        await asyncio.sleep(0.01)
        return [(one["message"], one["source"]) for one in host.failures]

    assert play(body) == [("lost", "spell.js:2")]


def test_sessions_are_apart() -> None:
    async def body(host: EngineHost) -> None:
        await host.run("x = 1; String.prototype.trim = null; print = null")
        async with engine_host(
            "llmspell_duktape.guest", "worker", requires=("pyduktape2", "llmspell_duktape")
        ) as other:
            assert await other.run("return [typeof x, ' a '.trim()]") == ["undefined", "a"]

    play(body)


def test_random_numbers_repeat_with_their_seed() -> None:
    draw = "return [Math.random(), Math.random()]"
    first = play(draw, seed="0123456789abcdef0123456789abcdef")
    assert first == play(draw, seed="0123456789abcdef0123456789abcdef")
    assert first != play(draw, seed="fedcba9876543210")
    assert all(0 <= one < 1 for one in first)


def test_timers_run_and_are_cleared() -> None:
    source = """
        var seen = [];
        setTimeout(function (a) { seen.push(a) }, 5, "late");
        clearTimeout(setTimeout(function () { seen.push("never") }, 1));
        var n = 0, every = setInterval(function () { if (++n === 3) clearInterval(every) }, 1);
        Async.sleep(40);
        return [seen, n]
    """
    assert play(source) == [["late"], 3]
