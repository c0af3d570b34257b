"""JSON text <-> JavaScript values, through the channel and through `JSON.encode`."""

# ruff: noqa: E501 - the long lines are JavaScript
from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_bridge.worker.testing import CARRIERS, EngineHost, engine_host, manifest
from llmspell_core.errors import ScriptError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**53), max_value=2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
KEYS = st.text(max_size=8) | st.sampled_from(
    ["$", "$f", "$h", "$b", "$r", "$e", "1", "2", "", "a b", "__proto__", "toJSON", "then"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def escaped(value: Any) -> Any:
    """As a host writes it: an object whose only key begins with `$` is wrapped."""
    if isinstance(value, list):
        return [escaped(one) for one in value]
    if isinstance(value, dict):
        plain = {key: escaped(one) for key, one in value.items()}
        return {"$": plain} if len(plain) == 1 and next(iter(plain)).startswith("$") else plain
    return value


def same(a: Any, b: Any) -> bool:
    """Equal; numbers by their value, as JavaScript has one kind of them."""
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return bool(a == b)


def js(carrier: str = "process", **options: Any) -> Any:
    return engine_host(
        "llmspell_js.guest",
        carrier,
        requires=("_quickjs", "llmspell_js"),
        globals=[manifest("Tool", "echo", "give", "take")],
        libraries=["TextEncoder"],
        **options,
    )


def run(source: str, carrier: str = "process", **options: Any) -> Any:
    async def main() -> Any:
        async with js(carrier, **options) as host:
            host.methods["Tool.echo"] = lambda value=None: value
            return await host.run(source, "spell.js")

    return asyncio.run(main())


def failing(source: str, **options: Any) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        run(source, **options)
    return caught.value


@pytest.mark.parametrize("carrier", CARRIERS)
def test_any_json_value_goes_in_and_out_unchanged(carrier: str) -> None:
    with asyncio.Runner() as runner:
        opened = js(carrier)
        host: EngineHost = runner.run(opened.__aenter__())
        sent: list[Any] = []
        got: list[Any] = []
        host.methods["Tool.give"] = lambda: escaped(sent[-1])
        host.methods["Tool.take"] = got.append
        pass_on = runner.run(host.run("return async () => { await Tool.take(await Tool.give()) }"))
        identity = runner.run(host.run("return (value) => [value]"))

        @given(VALUES)
        def holds(value: Any) -> None:
            sent.append(value)
            runner.run(pass_on())
            assert same(got.pop(), value)
            assert same(runner.run(host.invoke(identity.handle, escaped(value))), [value])

        holds()
        runner.run(opened.__aexit__(None, None, None))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ("-0", "0"),
        ("0.1", "0.1"),
        ("1e300", "1e+300"),
        ("2**53", "9007199254740992"),
        ("2n**52n", "4503599627370496"),
        ("({})", "{}"),
        ("[]", "[]"),
        ("[1, 2, undefined, , null]", "[1,2,null,null,null]"),
        ("({b: 1, a: undefined, c: null})", '{"b":1,"c":null}'),
        ("new Date(0)", '"1970-01-01T00:00:00.000Z"'),
        ("({toJSON() { return {x: 1} }})", '{"x":1}'),
        ("Object(5n)", "5"),
        ("Object('s')", '"s"'),
        ("new (class A { a = 1; #b = 2; get c() { return 3 } })", '{"a":1}'),
        ("new Float64Array([1.5])", "[1.5]"),
        ("undefined", "null"),
        ("JSON.null", "null"),
        (r"'\u{1F600}\0\n\"\\'", r'"😀\u0000\n\"\\"'),
    ],
)
def test_values_are_written_exactly(source: str, text: str) -> None:
    assert run(f"return JSON.encode({source})") == text
    assert run(f"return Tool.echo({source})") == json.loads(text)


def test_encode_indents_and_sorts() -> None:
    assert run("return JSON.encode({b:[1,{}],a:'x'}, {pretty: true, sortKeys: true})") == (
        '{\n  "a": "x",\n  "b": [\n    1,\n    {}\n  ]\n}'
    )
    for how in ("2", "{pretty: true}", "{indent: 2}", "'  '"):
        assert run(f"return JSON.encode({{a: 1}}, {how})") == '{\n  "a": 1\n}'
    assert run("return JSON.encode({z:1,y:2,x:3}, {sort_keys: true})") == '{"x":3,"y":2,"z":1}'
    assert failing("JSON.encode(1, {sort: true})").code == "input.invalid"


def test_json_is_the_language_s_own_with_more() -> None:
    source = """
        return [JSON.stringify({a: [1]}, null, 1), JSON.parse("[1]")[0], JSON.decode('{"$f": 1}').$f,
          JSON.null === null, Object.keys(JSON), JSON.array([1]), JSON.array()]
    """
    assert run(source) == ['{\n "a": [\n  1\n ]\n}', 1, 1, True, [], [1], []]
    assert failing("JSON.decode('{')").message.startswith("SyntaxError: ")


@pytest.mark.parametrize(
    ("source", "code", "where"),
    [
        ("NaN", "value.not_json", "the value is not a finite number"),
        ("{a: {b: [1, 1/0]}}", "value.not_json", "a.b[1]"),
        ("2n ** 63n", "value.not_json", "beyond 64 bits"),
        ("[new Date(NaN)]", "value.not_json", "[0] is an invalid date"),
        ("(() => { const t = {}; t.a = [t]; return t })()", "value.cycle", "a[0]"),
        ("{a: Symbol()}", "value.unsupported", "a is a symbol"),
        ("{m: new Map()}", "value.unsupported", "m is a Map"),
        ("[new Set()]", "value.unsupported", "[0] is a Set"),
        ("{p: Promise.resolve(1)}", "value.unsupported", "p is a Promise"),
        ("{r: /x/}", "value.unsupported", "r is a RegExp"),
        ("{w: new WeakMap()}", "value.unsupported", "w is a WeakMap"),
        ("{t: Async.spawn(() => 1)}", "value.unsupported", "t is a task"),
        ("{q: Async.queue()}", "value.unsupported", "q is a queue"),
        ("{g: Tool}", "value.unsupported", "g is the global Tool"),
        ("{l: Logger.new('x')}", "value.unsupported", "l is a logger"),
    ],
)
def test_what_cannot_cross_is_refused_by_name(source: str, code: str, where: str) -> None:
    for call in ("JSON.encode", "await Tool.echo"):
        error = failing(f"return {call}({source})")
        assert error.code == code
        assert error.source == "spell.js:1"
        if call != "JSON.encode":
            where = where.replace("the value ", "")
        assert where in error.message
        if call != "JSON.encode":
            assert error.message.startswith("argument 1")


def test_public_json_has_no_handles_and_no_bytes() -> None:
    assert failing("return JSON.encode({f: () => 1})").code == "value.unsupported"
    assert failing("return JSON.encode(new Uint8Array(1))").code == "value.unsupported"


def test_depth_and_size_are_bounded() -> None:
    nest = "let t = []; for (let i = 1; i < %d; i++) t = [t]; return Tool.echo(t)"
    assert run(nest % 64) is not None
    assert failing(nest % 65).code == "limit.value_depth"
    assert failing(nest % 9, limits={"value_depth": 8}).code == "limit.value_depth"
    large = "return Tool.echo('x'.repeat(2 ** 21))"
    assert failing(large, limits={"value_mb": 1}).code == "limit.value_size"
    shared = "let t = [1]; for (let i = 0; i < 60; i++) t = [t, t]; return Tool.echo(t)"
    assert failing(shared, limits={"value_mb": 1}).code == "limit.value_size"


def test_bytes_cross_as_arrays_of_them() -> None:
    async def main() -> Any:
        async with js() as host:
            host.methods["Tool.echo"] = lambda value: value
            host.methods["Tool.give"] = lambda: {"k": {"$b": "AP8="}}
            return await host.run(
                "const b = (await Tool.give()).k;"
                " return [b instanceof Uint8Array, [...b], await Tool.echo({b, c: b.buffer,"
                " d: new DataView(b.buffer, 1), e: new Uint8Array(0), f: b.subarray(1)})]"
            )

    assert asyncio.run(main()) == [
        True, [0, 255],
        {"b": {"$b": "AP8="}, "c": {"$b": "AP8="}, "d": {"$b": "/w=="}, "e": {"$b": ""},
         "f": {"$b": "/w=="}},
    ]  # fmt: skip


@pytest.mark.parametrize("carrier", CARRIERS)
def test_what_the_host_writes_for_bytes_of_files_stays_what_it_is(carrier: str) -> None:
    async def main() -> Any:
        async with js(carrier) as host:
            text = b"caf\xe9 \xc3\xa9".decode("utf-8", "surrogateescape")
            host.methods["Tool.give"] = lambda: text
            host.methods["Tool.echo"] = lambda value: value
            value = await host.run("const t = await Tool.give(); print(t); return Tool.echo(t)")
            return [value == text, host.output["stdout"] == text + "\n"]

    assert asyncio.run(main()) == [True, True]


def test_text_that_no_stream_can_take_is_replaced() -> None:
    async def main() -> Any:
        async with js() as host:
            await host.run(r"print('a\ud800b', '\ud83d\ude00')")
            return host.output["stdout"]

    assert asyncio.run(main()) == "a\ufffdb\t😀\n"


def test_integers_beyond_doubles() -> None:
    async def main() -> Any:
        async with js() as host:
            got: list[Any] = []
            host.methods["Tool.take"] = lambda *values: got.extend(values)
            host.methods["Tool.give"] = lambda: 2**53 + 1
            await host.run("await Tool.take(2n**53n + 1n, -(2n**63n), 2**60, 1e21, 2**53 - 1)")
            return [got, [type(one) for one in got], await host.run("return Tool.give()")]

    values, types, rounded = asyncio.run(main())
    assert values == [2**53 + 1, -(2**63), 2.0**60, 1e21, 2**53 - 1]
    assert types == [int, int, float, float, int]
    assert rounded == 2.0**53


def test_errors_in_data_are_error_objects() -> None:
    async def main() -> Any:
        async with js() as host:
            fields = {"message": "m", "code": "c", "source": "x.lua:1", "retryable": True}
            host.methods["Tool.give"] = lambda: {"success": False, "error": {"$e": fields}}
            host.methods["Tool.echo"] = lambda value: value
            return await host.run(
                "const { error } = await Tool.give();"
                " return [error instanceof Error, String(error), error.stack,"
                " await Tool.echo({ error, other: new TypeError('t') })]",
                "spell.js",
            )

    is_error, text, _, sent = asyncio.run(main())
    assert (is_error, text) == (True, "x.lua:1: m")
    assert sent["error"]["$e"]["code"] == "c"
    assert sent["other"]["$e"]["message"] == "TypeError: t"
    assert sent["other"]["$e"]["source"] == "spell.js:1"
