"""Sessions of the JavaScript engine, in the process and in a worker: the same tests for both."""

# ruff: noqa: E501 - the long lines are JavaScript
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_bridge.worker.testing import CARRIERS, EngineHost, Function, engine_host, manifest
from llmspell_core.errors import ScriptError

Body = Callable[[EngineHost], Awaitable[Any]]

TOOL = manifest(
    "Tool", "add", "slow_add", "fail", "slow_fail", "echo", "each", "give", "get_name", "count"
)
LIBRARIES = ["console", "timers", "TextEncoder", "URL"]


@pytest.fixture(params=CARRIERS)
def play(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Runs an async body, or a source, with a host of this carrier."""

    def run(body: Body | str, **options: Any) -> Any:
        options = {"globals": [TOOL], "libraries": LIBRARIES, **options}

        async def main() -> Any:
            async with engine_host(
                "llmspell_js.guest",
                request.param,
                requires=("_quickjs", "llmspell_js"),
                **options,
            ) as host:
                prepare(host)
                if isinstance(body, str):
                    return await asyncio.wait_for(host.run(body, "spell.js"), 20)
                return await asyncio.wait_for(body(host), 20)

        return asyncio.run(main())

    return run


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


def failing(play: Callable[..., Any], source: str, **options: Any) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        play(source, **options)
    return caught.value


# -- calls ---------------------------------------------------------------------------------------


def test_host_calls_answer_at_once_or_later(play: Callable[..., Any]) -> None:
    assert play("return await Tool.add(1, 2)") == 3
    assert play("return await Tool.slow_add(1, 2)") == 3
    source = "return await Tool.add(await Tool.slow_add(1, 2), await Tool.slow_add(3, 4))"
    assert play(source) == 10


def test_every_host_method_gives_a_promise(play: Callable[..., Any]) -> None:
    source = """
        const p = Tool.add(1, 2);
        return [p instanceof Promise, await p, await p.then((v) => v + 1), String(p)];
    """
    assert play(source) == [True, 3, 4, "[object Promise]"]


def test_arguments_keep_their_number(play: Callable[..., Any]) -> None:
    source = (
        "return [await Tool.count(), await Tool.count(undefined), await Tool.count(1, null, 2)]"
    )
    assert play(source) == [0, 1, 3]


def test_methods_are_bound_and_spelled_both_ways(play: Callable[..., Any]) -> None:
    assert play("const f = Tool.slow_add; return await f(1, 2) + await Tool.slowAdd(1, 2)") == 6
    assert play("return await Tool.getName() + await Tool.get_name()") == "tooltool"


def test_fifty_waits_overlap(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> float:
        begun = asyncio.get_running_loop().time()
        await host.run(
            "await Promise.all(Array.from({length: 50}, () => Async.sleep(50)))", "spell.js"
        )
        return asyncio.get_running_loop().time() - begun

    assert play(body) < 1


# -- the main chunk ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("return 1", 1),
        ("let x = 1", None),
        ("1 + 1", None),
        ("#!/usr/bin/env llmspell\nreturn 2", 2),
        ("#!/usr/bin/env llmspell\nexport default 2", 2),
        ("\ufeffreturn 3", 3),
        ("const x = await Tool.slow_add(1, 2); return x", 3),
        ("return Tool.slow_add(1, 2)", 3),
        ("export default await Tool.slow_add(1, 2)", 3),
        ("export default Tool.slow_add(1, 2)", 3),
        ("export const x = 1", None),
        ("import { Tool as T } from 'llmspell';\nexport default await T.add(1, 2)", 3),
        ("return undefined", None),
        ("const f = async () => 5; return f()", 5),
        ("return [this === globalThis, typeof arguments]", [True, "object"]),
    ],
)
def test_the_value_of_the_main_chunk(play: Callable[..., Any], source: str, value: Any) -> None:
    assert play(source) == value


def test_a_promise_that_ends_the_chunk_is_awaited(play: Callable[..., Any]) -> None:
    error = failing(play, "async function main() {\n  await null;\n  throw Error('no')\n}\nmain()")
    assert (error.message, error.source) == ("no", "spell.js:3")


def test_eval_gives_the_value_of_the_last_expression(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> list[Any]:
        sources = (
            "1+1",
            "const x = 3",
            "x",
            "{a: x}",
            "Tool.slow_add(x, 1)",
            "await x",
            "if (x) {5}",
        )
        return [await host.run(source, "repl", mode="eval") for source in sources]

    assert play(body) == [2, None, 3, {"a": 3}, 4, 3, 5]


def test_in_a_repl_declarations_are_kept_and_may_be_repeated(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        for source in (
            "let x = 1; const {y, z} = {y: 2, z: 3}; class A { a() { return 1 } }",
            "let x = 5; const [y] = [6]\nclass A { a() { return 2 } }\nfunction f() { return x }",
            "for (const x of [9]) { let y = 1 }",
            "await Async.sleep(1); const s = `let ${ {a: `const`}.a }`; /let x/.test('const x = 1')",
        ):
            await host.run(source, "repl", mode="eval")
        return await host.run("[x, y, z, new A().a(), f(), s]", "repl", mode="eval")

    assert play(body) == [5, 6, 3, 2, 5, "let const"]


# -- origins -------------------------------------------------------------------------------------


def test_a_call_belongs_to_the_run_or_callback_that_made_it(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> list[int]:
        function = await host.run(
            "await Tool.add(1, 1); return async () => {"
            " await Tool.add(1, 1); await null; await Tool.slow_add(1, 1) }"
        )
        await function()
        await host.run("await Async.spawn(async () => { await null; await Tool.add(1, 1) })")
        return host.origins

    assert play(body) == [1, 2, 2, 3]


def test_runs_that_go_on_at_once_keep_their_calls_apart(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        seen: dict[int, set[int]] = {}

        def give(tag: int) -> Awaitable[None]:
            seen.setdefault(tag, set()).add(host.origins[-1])
            return asyncio.sleep(0.001)

        host.methods["Tool.give"] = give
        function = await host.run(
            "return async (tag) => {"
            " for (let i = 0; i < 5; i++) { await Tool.give(tag); await null }"
            " await Promise.all([Tool.give(tag), Async.sleep(1)]); await Tool.give(tag) }"
        )
        await asyncio.gather(*(function(tag) for tag in range(4)))
        assert [len(found) for found in seen.values()] == [1, 1, 1, 1]
        assert len(set.union(*seen.values())) == 4

    play(body)


# -- errors --------------------------------------------------------------------------------------


def test_host_errors_are_objects_with_the_line_of_the_script(play: Callable[..., Any]) -> None:
    for method in ("fail", "slow_fail"):
        error = failing(play, f"function f() {{\n  return Tool.{method}()\n}}\nawait f()")
        assert (error.code, error.message, error.hint) == ("tool.not_found", "no such tool", "ask")
        assert error.source == "spell.js:2"
        assert error.details == {"a": [1]}
        assert error.stack is not None
        assert error.stack.splitlines() == [
            "at f (spell.js:2:20)".replace("20", error.stack.split(":")[2].split(")")[0]),
            error.stack.splitlines()[1],
        ]
        assert "spell.js:4:" in error.stack


def test_a_top_level_return_keeps_lines_and_columns(play: Callable[..., Any]) -> None:
    with_return = failing(play, "Tool.add(); null.x; return 1")
    without = failing(play, "Tool.add(); null.x; 1")
    assert with_return.source == without.source == "spell.js:1"
    assert with_return.stack == without.stack


def test_errors_can_be_caught_and_read(play: Callable[..., Any]) -> None:
    source = """
        try { await Tool.slow_fail() } catch (e) {
          return [e instanceof Error, e.name, e.code, String(e), `-${e}`, e.details.a[0],
            e.retryable, e.message, e.source, e.stack.includes("spell.js:2:"), JSON.parse(JSON.stringify(e)).hint]
        }
    """
    text = "spell.js:2: no such tool"
    assert play(source) == [
        True, "LLMSpellError", "tool.not_found", text, "-" + text, 1, False, "no such tool",
        "spell.js:2", True, "ask",
    ]  # fmt: skip


def test_errors_of_the_language_stay_what_they_are(play: Callable[..., Any]) -> None:
    source = """
        const found = [];
        for (const f of [() => null.x, () => JSON.parse("{"), () => { throw 5 }, () => nothing]) {
          try { f() } catch (e) { found.push(e instanceof Error ? e.constructor.name : e) }
        }
        return found
    """
    assert play(source) == ["TypeError", "SyntaxError", 5, "ReferenceError"]


@pytest.mark.parametrize(
    ("source", "message", "place"),
    [
        ("\nthrow new Error('boom')", "boom", "spell.js:2"),
        ("\n\nnull.x", "TypeError: cannot read property 'x' of null", "spell.js:3"),
        ("nothing()", "ReferenceError: nothing is not defined", "spell.js:1"),
        ("const a = {};\na.b.c.d()", "TypeError: cannot read property 'c' of undefined", "spell.js:2"),
        ("const a = {};\n  a.bc(1)", "TypeError: .bc is not a function", "spell.js:2"),
        ("const bc = 1;\nbc()", "TypeError: bc is not a function", "spell.js:2"),
        ("throw 'boom'", "boom", None),
        ("throw undefined", "undefined", None),
        ("throw null", "null", None),
        ("throw Symbol('s')", "Symbol(s)", None),
        ("throw {message: 'mine'}", "mine", None),
        ("throw {a: 1}", '{"a":1}', None),
        ("throw () => 1", "a function was thrown", None),
        ("class Mine extends Error { name = 'Mine' }\nthrow new Mine('own')", "Mine: own", "spell.js:1"),
        ("throw new AggregateError([], 'several')", "AggregateError: several", "spell.js:1"),
        ("await Promise.reject(new Error('late'))", "late", "spell.js:1"),
        ("(function f() { f() })()", "RangeError: Maximum call stack size exceeded", "spell.js:1"),
    ],
)  # fmt: skip
def test_uncaught_errors_say_what_and_where(
    play: Callable[..., Any], source: str, message: str, place: str | None
) -> None:
    error = failing(play, source)
    assert (error.code, error.message, error.source) == ("script.error", message, place)


def test_a_script_may_throw_errors_with_fields(play: Callable[..., Any]) -> None:
    for thrown in (
        "{code: 'my.code', message: 'm', details: {n: 1}, hint: 'h', retryable: true}",
        "Object.assign(new Error('m'),"
        " {code: 'my.code', details: {n: 1}, hint: 'h', retryable: true})",
    ):
        error = failing(play, f"throw {thrown}")
        assert (error.code, error.message, error.hint) == ("my.code", "m", "h")
        assert (error.details, error.retryable) == ({"n": 1}, True)


def test_bad_details_do_not_hide_an_error(play: Callable[..., Any]) -> None:
    error = failing(play, "throw {code: 'my.code', message: 'm', details: {f: new Map()}}")
    assert (error.code, error.message) == ("my.code", "m")
    error = failing(play, "throw {get message() { throw 1 }}")
    assert error.message == "an object was thrown"


@pytest.mark.parametrize(
    ("source", "message", "place"),
    [
        ("let x = 1\nlet y = = 2", "unexpected token in expression: '='", "spell.js:2"),
        ("import { Tool } from 'llmspell'\n\nlet = ;", None, "spell.js:3"),
        ("return 1\n}", None, "spell.js:2"),
        ("function (", None, "spell.js:1"),
        ("'abc", None, "spell.js:1"),
    ],
)
def test_syntax_errors_name_the_line(
    play: Callable[..., Any], source: str, message: str | None, place: str
) -> None:
    error = failing(play, source)
    assert (error.code, error.source) == ("script.syntax", place)
    assert message in (None, error.message)


def test_a_result_that_cannot_cross_is_the_error_of_the_run(play: Callable[..., Any]) -> None:
    assert failing(play, "const t = []; t[0] = t; return t").code == "value.cycle"


# -- functions of the script ---------------------------------------------------------------------


def test_the_host_calls_functions_that_wait_themselves(play: Callable[..., Any]) -> None:
    source = "return Tool.each([1, 2, 3], async (x) => { await Async.sleep(1); return x * 2 })"
    assert play(source) == [2, 4, 6]
    assert play("return Tool.each([1, 2, 3], (x) => x * 2)") == [2, 4, 6]


def test_the_error_of_a_callback_passes_through_the_host(play: Callable[..., Any]) -> None:
    source = """
        try { await Tool.each([1], () => { throw new Error("inner") }) }
        catch (e) { return [String(e), e.stack.split("\\n").length] }
    """
    assert play(source) == ["spell.js:2: inner", 1]


def test_a_function_has_one_handle_while_it_lives(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        first = await host.run("globalThis.f = () => 1; return f")
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


def test_a_function_given_back_is_the_same(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        function = await host.run("globalThis.f = () => 1; return f")
        host.methods["Tool.give"] = lambda: {"$f": function.handle}
        assert await host.run("return await Tool.give() === f") is True

    play(body)


def test_callbacks_run_while_the_script_waits(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        kept: list[Function] = []
        host.methods["Tool.give"] = kept.append
        _, end = host.start(
            "let got; await Tool.give((v) => { got = v }); await Async.sleep(50); return got"
        )
        while not kept:
            await asyncio.sleep(0.001)
        await kept[0]("late")
        return await end

    assert play(body) == "late"


def test_what_the_host_asks_during_a_call_runs_after_it(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        function = await host.run("globalThis.order = []; return (v) => { order.push(v) }")

        def give() -> str:
            host.session.invoke(99, function.handle, '["callback"]')
            return "call"

        host._ends[99] = asyncio.get_running_loop().create_future()
        host.methods["Tool.give"] = give
        return await host.run(
            "order.push(await Tool.give()); order.push('main'); await Async.sleep(30); return order"
        )

    assert sorted(play(body)) == ["call", "callback", "main"]


# -- session -------------------------------------------------------------------------------------


def test_a_session_is_idle_when_its_last_task_has_ended(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        assert host.session.idle()
        value = await host.run("setTimeout(() => { globalThis.done = true }, 30); return 1")
        assert value == 1
        assert not host.session.idle()
        assert host.idled == 0
        await host.wait_idle()
        assert host.idled == 1
        assert await host.run("return done") is True

    play(body)


def test_cancelling_a_run_throws_where_it_waits(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        number, end = host.start(
            "try { await Async.sleep(60000) } catch (e) { return [e.code, String(e)] }", "spell.js"
        )
        while not host.origins:
            await asyncio.sleep(0.001)
        host.session.cancel(number)
        value = await end
        assert host.cancelled
        return value

    assert play(body) == ["cancelled", "spell.js:1: cancelled"]


@pytest.mark.parametrize(
    "source",
    [
        "await Tool.count(); await new Promise(() => setTimeout(() => 1, 60000))",
        "await Tool.count(); await new Promise((r) => { setTimeout(r, 60000) })",
        "const q = Async.queue(); setTimeout(() => 1, 60000); await Tool.count(); await q.pop()",
        "await Tool.count(); try { await Async.sleep(60000) } catch { await new Promise(() => 1) }",
    ],
)
def test_a_cancelled_run_that_waits_for_anything_ends(
    play: Callable[..., Any], source: str
) -> None:
    async def body(host: EngineHost) -> None:
        number, end = host.start(source, "spell.js")
        while len(host.origins) < 2:
            await asyncio.sleep(0.001)
        host.session.cancel(number)
        with pytest.raises(ScriptError) as caught:
            await end
        assert caught.value.code == "cancelled"
        await host.wait_idle()

    play(body)


def test_a_cancelled_run_may_clean_up(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> Any:
        number, end = host.start(
            "try { await Async.sleep(60000) } finally { await Tool.slow_add(1, 1);"
            " await new Promise((r) => setTimeout(r, 1)); console.log('clean') }"
        )
        while not host.origins:
            await asyncio.sleep(0.001)
        host.session.cancel(number)
        with pytest.raises(ScriptError):
            await end
        return host.output["stdout"]

    assert play(body) == "clean\n"


def test_an_unhandled_rejection_is_reported_once(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> list[Any]:
        await host.run(
            "(async () => {\n throw new Error('lost') })();"
            " const seen = Promise.reject(1); await Async.sleep(1); await seen.catch(() => 1);"
            " setTimeout(() => { throw new Error('timer') }, 1);"
            " queueMicrotask(() => { throw new Error('micro') });"
            " globalThis.r = new FinalizationRegistry(() => { throw new Error('final') }); r.register({});"
            " const c = Async.spawn(() => Async.sleep(1000)); await Async.yield(); c.cancel()",
            "spell.js",
        )
        await host.wait_idle()
        await asyncio.sleep(0.01)
        return sorted(str((one["message"], one.get("source"))) for one in host.failures)

    found = play(body)
    assert found[0] == "('Error: final', None)"
    assert found[1:] == [
        "('lost', 'spell.js:2')",
        "('micro', 'spell.js:2')",
        "('timer', 'spell.js:2')",
    ]


def test_sessions_are_apart(play: Callable[..., Any]) -> None:
    async def body(host: EngineHost) -> None:
        await host.run("globalThis.x = 1; String.prototype.at = null; delete globalThis.print")
        async with engine_host("llmspell_js.guest", "process", globals=[TOOL]) as other:
            assert await other.run("return [typeof x, 'a'.at(0), typeof print]") == [
                "undefined", "a", "function",
            ]  # fmt: skip

    play(body)


# -- modules -------------------------------------------------------------------------------------

MODULES = {
    "m.js": "export const x = 42;\nexport default function f() { return null.y }",
    "lib/a.js": "import { b } from './b.js';\nexport const a = b + 1;",
    "lib/b.js": "export const b = await Tool.slow_add(1, 2);",
    "bad.js": "\n\nlet = ;",
    "loop.js": "import { two } from './loop2.js';\nexport const one = 1, sum = () => one + two;",
    "loop2.js": "import { one } from './loop.js';\nexport const two = 2;",
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("import { x } from './m.js';\nexport default x", 42),
        ("const { x } = await import('./m.js');\nreturn x", 42),
        ("import f from './m.js';\nexport default f === (await import('./m.js')).default", True),
        ("import { a } from './lib/a.js';\nexport default a", 4),
        ("import { sum } from './loop.js';\nexport default sum()", 3),
        ("import * as all from 'llmspell';\nexport default all.Tool === all.default.Tool", True),
    ],
)
def test_modules_that_were_handed_over_can_be_imported(
    play: Callable[..., Any], source: str, value: Any
) -> None:
    assert play(source, modules=MODULES) == value


@pytest.mark.parametrize(
    ("source", "code", "place"),
    [
        ("import './nothing.js'", "module.not_found", None),
        ("await import('./nothing.js')", "module.not_found", None),
        ("\nimport './bad.js'", "script.syntax", "bad.js:3"),
        ("\nimport f from './m.js'\nf()", "script.error", "m.js:2"),
        ("import { nope } from './m.js'", "script.syntax", None),
    ],
)
def test_mistakes_of_modules_are_named(
    play: Callable[..., Any], source: str, code: str, place: str | None
) -> None:
    error = failing(play, source, modules=MODULES)
    assert (error.code, error.source) == (code, place)


def test_without_modules_imports_are_denied(play: Callable[..., Any]) -> None:
    error = failing(play, "import x from './m.js'")
    assert error.code == "module.denied"
    assert "m.js" in error.message
    source = "return import('./m.js').catch((e) => e.code)"
    assert play(source) == "module.denied"
