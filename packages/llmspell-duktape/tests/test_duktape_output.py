"""Streams, `print`, `console`, `args`, `process` in ES5.1."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_bridge.worker.testing import EngineHost, engine_host, manifest
from llmspell_core.errors import ScriptError

pytest.importorskip("pyduktape2")


def play(body: Callable[[EngineHost], Awaitable[Any]] | str, **options: Any) -> Any:
    async def main() -> Any:
        async with engine_host(
            "llmspell_duktape.guest",
            "worker",
            requires=("pyduktape2", "llmspell_duktape"),
            **{"globals": [manifest("Tool", "give")], **options},
        ) as host:
            if isinstance(body, str):
                return await asyncio.wait_for(host.run(body, "spell.js"), 20)
            return await asyncio.wait_for(body(host), 20)

    return asyncio.run(main())


def printed(source: str, **options: Any) -> dict[str, str]:
    async def body(host: EngineHost) -> dict[str, str]:
        await host.run(source, "spell.js")
        return host.output

    found: dict[str, str] = play(body, **options)
    return found


def test_output_comes_in_order_and_before_calls() -> None:
    async def body(host: EngineHost) -> None:
        seen: list[str] = []
        host.methods["Tool.give"] = lambda: seen.append(host.output["stdout"])
        await host.run(
            "print('a', 1, null, 2.5); stdout.write('b', 1).write('c'); Tool.give();"
            " process.stdout.write('e'); stderr.write('warn'); console.error('ing'); print('f')"
        )
        assert seen == ["a\t1\tnull\t2.5\nb1c"]
        assert host.output == {"stdout": "a\t1\tnull\t2.5\nb1cef\n", "stderr": "warning\n"}
        streams = [stream for stream, _ in host.writes]
        assert streams[-3:] == ["stdout", "stderr", "stdout"]

    play(body)


def test_any_text_is_written_as_it_is() -> None:
    assert printed(r"print('é 😀 \0 \u2028 \t')")["stdout"] == "é \U0001f600 \0 \u2028 \t\n"


def test_output_is_handed_over_in_blocks() -> None:
    async def body(host: EngineHost) -> None:
        await host.run("for (var i = 0; i < 30000; i++) stdout.write('0123456789')")
        assert len(host.output["stdout"]) == 300000
        assert 3 <= len(host.writes) <= 60

    play(body)


def test_output_before_an_endless_loop_arrives() -> None:
    async def body(host: EngineHost) -> None:
        with pytest.raises(ScriptError) as caught:
            await host.run("print('begun');\nfor (;;);", "spell.js")
        assert (caught.value.code, caught.value.source) == ("script.cpu_limit", "spell.js:1")
        assert host.output["stdout"] == "begun\n"

    play(body, limits={"cpu_s": 0.5})


def test_output_where_nothing_can_wait_is_not_lost() -> None:
    source = "String({toString: function () { print('in'); return 'x' }}); print('out')"
    assert printed(source)["stdout"] == "in\nout\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("'x'", "x"),
        ("['x', 1, null, undefined, true]", "[ 'x', 1, null, undefined, true ]"),
        ("{a: {b: [1]}, 'c d': \"it's\"}", "{ a: { b: [ 1 ] }, 'c d': \"it's\" }"),
        ("function name() {}", "[Function: name]"),
        ("function () {}", "[Function (anonymous)]"),
        ("/a/g", "/a/g"),
        ("new Date(0)", "1970-01-01T00:00:00.000Z"),
        ("new Uint8Array([1, 2])", "Uint8Array(2) [ 1, 2 ]"),
        ("-0", "-0"),
        ("Symbol('s')", "Symbol(s)"),
        ("(function () { var t = {}; t.t = t; return t })()", "{ t: [Circular] }"),
        ("{get x() { return 1 }}", "{ x: [Getter] }"),
        ("{a: {a: {a: {a: {a: {}}}}}}", "{ a: { a: { a: { a: { a: [Object] } } } } }"),
        ("new (function Point() { this.x = 1 })", "Point { x: 1 }"),
        ("Tool", "Tool"),
        ("Async.queue()", "queue(0)"),
        ("Async.spawn(String)", "task(running)"),
        ("new Error('e')", "Error: e\n    at spell.js:1"),
    ],
)
def test_values_print_as_a_person_reads_them(value: str, text: str) -> None:
    assert printed(f"print({value})")["stdout"] == text + "\n"


def test_long_values_take_a_line_for_each_part() -> None:
    text = printed("print({a: Array(60).join('x'), b: Array(60).join('y')})")["stdout"]
    assert text == "{\n  a: '" + "x" * 59 + "',\n  b: '" + "y" * 59 + "'\n}\n"
    assert "... 20 more" in printed("var l = []; l[119] = 1; print(l)")["stdout"]


def test_console_formats_counts_and_groups() -> None:
    source = """
        console.log("%s is %d, %i, %j %o %%", "x", 1.5, 2.7, {a: 1}, [1], "rest");
        console.log(1, "a", {b: 2});
        console.group("g"); console.info("in\\nside"); console.groupEnd(); console.debug("out");
        console.count(); console.count(); console.countReset(); console.count();
        console.assert(true, "no"); console.assert(false, "yes"); console.warn("w");
        console.time("t"); console.timeEnd("t");
    """
    output = printed(source)
    lines = output["stdout"].splitlines()
    assert lines[:-1] == [
        'x is 1.5, 2, {"a":1} [ 1 ] % rest', "1 a { b: 2 }", "g", "  in", "  side", "out",
        "default: 1", "default: 2", "default: 1",
    ]  # fmt: skip
    assert lines[-1].startswith("t: ")
    assert output["stderr"] == "Assertion failed yes\nw\n"


def test_standard_input_is_read_through_the_host() -> None:
    async def body(host: EngineHost) -> Any:
        lines = ["one\n", "two\n", "3\n"]

        async def read(how: Any) -> str | None:
            if how == "a":
                return '{"a": [1, 2]}'
            return lines.pop(0).removesuffix("\n" if how == "l" else "") if lines else None

        host.methods["stdin.read"] = read
        return await host.run(
            "return [stdin.read(), stdin.read('L'), stdin.lines(), stdin.read(), stdin.text(),"
            " stdin.json().a, process.stdin === stdin]"
        )

    assert play(body) == ["one", "two\n", ["3"], None, '{"a": [1, 2]}', [1, 2], True]


def test_arguments_are_read_by_place_and_by_name() -> None:
    given = {"positional": ["a", "b"], "named": {"n": "5", "flag": True}, "script": "s.js"}
    source = """
        return [args[0], args[1], args[2], args[3], args.n, args.flag, ARGS === args, arg === args,
          Object.keys(args), process.argv]
    """
    assert play(source, args=given) == [
        "s.js", "a", "b", None, "5", True, True, True, ["0", "1", "2", "n", "flag"],
        ["llmspell", "s.js", "a", "b"],
    ]  # fmt: skip


def test_the_environment_is_what_the_policy_names() -> None:
    source = "return [process.env.A, process.env.B, process.env.toString]"
    assert play(source, env={"A": "1", "B": None}) == ["1", None, None]


@pytest.mark.parametrize(
    ("call", "code"),
    [("process.exit()", 0), ("process.exit(3)", 3), ("process.exit(true)", 0),
     ("process.exit(false)", 1), ("[1].map(function () { process.exit(4) })", 4)],

)  # fmt: skip
def test_exit_ends_the_script_and_cannot_be_caught(call: str, code: int) -> None:
    async def body(host: EngineHost) -> None:
        with pytest.raises(ScriptError) as caught:
            await host.run(
                f"print('before'); try {{ {call} }} catch (e) {{ print('caught') }}"
                " finally { print('finally') } print('after')"
            )
        assert caught.value.code == "script.exit"
        assert caught.value.details == {"code": code}
        assert host.output["stdout"] == "before\n"

    play(body)


def test_exit_where_nothing_can_wait_ends_the_script_all_the_same() -> None:
    async def body(host: EngineHost) -> None:
        with pytest.raises(ScriptError) as caught:
            await host.run(
                "try { String({toString: function () { process.exit(5) }}) } catch (e) {} return 1"
            )
        assert (caught.value.code, caught.value.details) == ("script.exit", {"code": 5})

    play(body)
