"""What this engine compiles: ES5.1, a clear word about anything newer, inputs of a REPL."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_bridge.worker.testing import EngineHost, engine_host, manifest
from llmspell_core.errors import ScriptError

pytest.importorskip("pyduktape2")


def session(body: Any, **options: Any) -> Any:
    async def main() -> Any:
        async with engine_host(
            "llmspell_duktape.guest",
            "worker",
            requires=("pyduktape2", "llmspell_duktape"),
            **{"globals": [manifest("Tool", "slow")], **options},
        ) as host:

            async def slow(value: Any) -> Any:
                await asyncio.sleep(0.001)
                return value

            host.methods["Tool.slow"] = slow
            return await asyncio.wait_for(body(host), 20)

    return asyncio.run(main())


def failing(source: str) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        session(lambda host: host.run(source, "spell.js"))
    return caught.value


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("let x = 1", "let"),
        ("for (let i = 0; i < 3; i++) {}", "let"),
        ("var f = (a) => a", "arrow functions"),
        ("[1].map(x => x)", "arrow functions"),
        ("class X {}", "class"),
        ("var s = `a ${1}`", "template strings"),
        ("async function f() {}", "async functions"),
        ("await Tool.slow(1)", "await"),
        ("import x from './x.js'", "import"),
        ("export default 1", "export"),
        ("for (var x of [1]) {}", "for...of"),
        ("print(...[1])", "spread"),
        ("function f(...rest) {}", "spread"),
        ("function f(a = 1) {}", "default parameters"),
        ("function f({a}) {}", "destructuring"),
        ("var {a} = {a: 1}", "destructuring"),
        ("const [a] = [1]", "destructuring"),
        ("var o = {}; o?.a", "optional chaining"),
        ("null ?? 1", "the ?? operator"),
        ("function* g() {}", "generators"),
        ("try {} catch {}", "catch without a name"),
        ("10n", "BigInt"),
    ],
)
def test_newer_syntax_is_named_with_its_line_and_the_engine_that_has_it(
    source: str, what: str
) -> None:
    error = failing(f"// `let` x => class\nvar a = '=> `';\n{source}\nreturn 1")
    assert (error.code, error.source) == ("script.syntax", "spell.js:3")
    assert what in error.message
    assert "ES5.1" in error.message
    assert error.hint is not None
    assert "llmspell[js]" in error.hint
    assert "--engine js" in error.hint


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        ("var x = 1\nvar y = = 2", "parse error", 2),
        ("var a = 1\nfunction f() {", "unexpected end of the script", 2),
        ("return 1}\nprint(2)", "parse error", 2),
        ("var s = 'abc", "", 1),
        ("\n\nx = /(/", "", 3),
    ],
)
def test_other_mistakes_are_named_with_their_line(source: str, message: str, line: int) -> None:
    error = failing(source)
    assert (error.code, error.source) == ("script.syntax", f"spell.js:{line}")
    assert message in error.message
    assert "line" not in error.message
    assert error.hint is None


def test_names_of_newer_versions_are_explained_where_they_are_missing() -> None:
    error = failing("return Promise.all([])")
    assert error.code == "script.error"
    assert "Promise" in error.message
    assert error.hint is not None
    assert "--engine js" in error.hint


@pytest.mark.parametrize(
    "source",
    [
        "var let_ = 1, async = 2, of = 3, o = {let: 1, class: 2, await: 3}; return o.class",
        "var async = function (x) { return x }; return async(2)",
        "return [1, 2,].length",
        "var r = /=>`/; return r.source.length - 1",
        "return 4 / 2 /* => */",
        "const x = 2; return x",
    ],
)
def test_what_only_looks_newer_runs(source: str) -> None:
    assert session(lambda host: host.run(source)) == 2


# -- a REPL --------------------------------------------------------------------------------------


def inputs(*sources: str) -> list[Any]:
    async def body(host: EngineHost) -> list[Any]:
        return [await host.run(source, "repl", mode="eval") for source in sources]

    found: list[Any] = session(body)
    return found


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 1", 2),
        ("x = 3", 3),
        ("{a: 1}", {"a": 1}),
        ("1; 2", 2),
        ("1;\n2;", 2),
        ("var x = 2; x * 2", 4),
        ("var x = 2\nx * 2", 4),
        ("var x = 1\n+ 2\nx", 3),
        ("if (true) { x = 1 }\nx", 1),
        ("if (false)\n  5", None),
        ("function f() { return 5 } f()", 5),
        ("[1, 2].map(function (n) {\n  return n + 1;\n})", [2, 3]),
        ("Tool.slow(7)", 7),
        ("var a = Tool.slow(1); a + Tool.slow(2)", 3),
        ("throw_ = 1 // comment", 1),
        ("var y", None),
        ("", None),
        ("// nothing", None),
        ("print; undefined", None),
        ("return 9", 9),
    ],
)
def test_the_last_expression_is_the_value(source: str, value: Any) -> None:
    assert inputs(source) == [value]


def test_what_one_input_declares_the_next_ones_see() -> None:
    assert inputs(
        "var x = 1, y; const z = 3; function f() { var inner = 4; return x }",
        "[x, typeof y, z, f(), typeof inner]",
        "for (var i = 0; i < 3; i++) {}",
        "i",
        "x = 5",
        "f()",
    ) == [None, [1, "undefined", 3, 1, "undefined"], None, 3, 5, 5]


def test_errors_in_inputs_have_their_lines() -> None:
    for source, line in (("\nnull.x", 2), ("var a = 1\n\nnull.x", 3), ("\nlet a = 1", 2)):
        with pytest.raises(ScriptError) as caught:
            inputs(source)
        assert caught.value.source == f"repl:{line}"


def test_modules_load_once_and_know_their_names() -> None:
    async def body(host: EngineHost) -> Any:
        asked: list[Any] = []
        sources = {
            "util": "exports.double = function (n) { return n * 2 };\nexports.where = __where",
            "bad": "\n\nnull.x",
            "deep": "var u = require('util'); module.exports = function () { return u.double(4) }",
            "data.json": '{"a": [1]}',
            "a": "exports.early = 1; exports.b = require('b').seen",
            "b": "exports.seen = require('a').early",
        }

        def load(name: str, caller: str | None = None) -> Any:
            asked.append((name, caller))
            return {"name": f"lib/{name}" if "." in name else f"lib/{name}.js",
                    "source": sources[name]}  # fmt: skip

        host.methods["modules.load"] = load
        value = await host.run(
            "__where = 1; var u = require('util'), again = require('util');"
            "return [u.double(2), u === again, require('deep')(), require('data.json').a[0],"
            " require('a').b, require('llmspell') === globalThis]",
            "spell.js",
        )
        assert asked[0] == ("util", "spell.js")
        assert ("util", "lib/deep.js") in asked
        with pytest.raises(ScriptError) as caught:
            await host.run("require('bad')", "spell.js")
        assert caught.value.source == "lib/bad.js:3"
        assert caught.value.stack == "at lib/bad.js:3\nat spell.js:1"
        return value

    assert session(body, modules=True) == [4, True, 8, 1, 1, True]


def test_require_is_denied_where_modules_are_off() -> None:
    assert failing("require('x')").code == "module.denied"
