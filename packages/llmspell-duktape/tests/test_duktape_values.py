"""JSON text <-> ES5.1 values, through the channel and through the public `JSON`."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_bridge.worker.testing import EngineHost, engine_host, manifest
from llmspell_core.errors import ScriptError

pytest.importorskip("pyduktape2")

TEXT = st.text(st.characters(), max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**53), max_value=2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
KEYS = st.text(st.characters(), max_size=8) | st.sampled_from(
    ["$", "$f", "$h", "$b", "$r", "$e", "1", "2", "", "a b", "__proto__", "then", "toJSON"]
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
    """Equal, where an integer and the float of its value are the same number.

    Duktape reads a few long numbers one step of the last bit off.
    """
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=3e-16)
    return bool(a == b)


def duktape(**options: Any) -> Any:
    return engine_host(
        "llmspell_duktape.guest",
        "worker",
        requires=("pyduktape2", "llmspell_duktape"),
        globals=[manifest("Tool", "echo", "give", "take")],
        **options,
    )


def run(source: str, **options: Any) -> Any:
    async def main() -> Any:
        async with duktape(**options) as host:
            host.methods["Tool.echo"] = lambda value=None: value
            return await asyncio.wait_for(host.run(source, "spell.js"), 20)

    return asyncio.run(main())


def failing(source: str, **options: Any) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        run(source, **options)
    return caught.value


def test_any_json_value_goes_in_and_out_unchanged() -> None:
    with asyncio.Runner() as runner:
        opened = duktape()
        host: EngineHost = runner.run(opened.__aenter__())
        sent: list[Any] = []
        got: list[Any] = []
        host.methods["Tool.give"] = lambda: escaped(sent[-1])
        host.methods["Tool.take"] = got.append
        pass_on = runner.run(host.run("return function () { Tool.take(Tool.give()) }"))
        identity = runner.run(host.run("return function (value) { return value }"))

        @settings(deadline=None)
        @given(VALUES)
        def holds(value: Any) -> None:
            sent.append(value)
            runner.run(pass_on())
            assert same(got.pop(), value)
            assert same(runner.run(host.invoke(identity.handle, escaped(value))), value)

        holds()
        runner.run(opened.__aexit__(None, None, None))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("1", "1"),
        ("0.1", "0.1"),
        ("-0", "0"),
        ("1e300", "1e+300"),
        ("Math.pow(2, 53)", "9007199254740992"),
        ("1/3", "0.3333333333333333"),
        ("{}", "{}"),
        ("[]", "[]"),
        ("JSON.array()", "[]"),
        ("[1, 2, 3]", "[1,2,3]"),
        ("{b: 1, a: 2}", '{"b":1,"a":2}'),
        ("{a: undefined, b: null}", '{"b":null}'),
        ("[undefined]", "[null]"),
        ("JSON.null", "null"),
        ("new Date(0)", '"1970-01-01T00:00:00.000Z"'),
        ("{toJSON: function () { return [1] }}", "[1]"),
        ("[Object(1), Object('a'), Object(true)]", '[1,"a",true]'),
        ("new Int16Array([1, 2])", "[1,2]"),
        ("Object.create(null)", "{}"),
        (r"'\ud83d\ude00\0\n\"\\'", r'"😀\u0000\n\"\\"'),
    ],
)
def test_encode_writes_exactly(source: str, text: str) -> None:
    assert run(f"return JSON.encode({source})") == text
    assert run(f"return Tool.echo({source})") == json.loads(text)


def test_encode_indents_and_sorts_where_asked() -> None:
    assert run("return JSON.encode({b: [1, {}], a: 'x'}, 2)") == (
        '{\n  "b": [\n    1,\n    {}\n  ],\n  "a": "x"\n}'
    )
    assert run("return JSON.encode({b: 1, a: 2}, {pretty: true, sortKeys: true})") == (
        '{\n  "a": 2,\n  "b": 1\n}'
    )
    assert run("return JSON.decode('[1]')[0] + JSON.parse('2') + JSON.stringify([3])") == "3[3]"


@pytest.mark.parametrize(
    ("source", "code", "where"),
    [
        ("NaN", "value.not_json", ""),
        ("{a: {b: [1, 1/0]}}", "value.not_json", "a.b[1]"),
        ("(function () { var t = {}; t.a = [t]; return t })()", "value.cycle", "a[0]"),
        ("{t: Async.spawn(String, 1)}", "value.unsupported", "t is a task"),
        ("{q: Async.queue()}", "value.unsupported", "q is a queue"),
        ("{r: /x/}", "value.unsupported", "r is a RegExp"),
        ("{s: Symbol('x')}", "value.unsupported", "s is a symbol"),
        ("{g: Tool}", "value.unsupported", "g is the global Tool"),
        ("{d: new Date(NaN)}", "value.not_json", "d is an invalid date"),
    ],
)
def test_what_cannot_cross_is_refused_by_name(source: str, code: str, where: str) -> None:
    for call in ("JSON.encode", "Tool.echo"):
        error = failing(f"return {call}({source})")
        assert error.code == code
        assert error.source == "spell.js:1"
        if call == "Tool.echo":
            assert error.message.startswith("argument 1")
        assert where in error.message


def test_public_json_has_no_handles_and_no_bytes() -> None:
    assert failing("return JSON.encode({f: print})").code == "value.unsupported"
    assert failing("return JSON.encode(new Uint8Array(1))").code == "value.unsupported"
    assert run("""return JSON.encode(JSON.parse('{"$f": 1}'))""") == '{"$f":1}'


def test_depth_and_size_are_bounded() -> None:
    nest = "var t = {}; for (var i = 1; i < %d; i++) t = [t]; return Tool.echo(t)"
    assert run(nest % 64) is not None
    assert failing(nest % 65).code == "limit.value_depth"
    assert failing(nest % 9, limits={"value_depth": 8}).code == "limit.value_depth"
    big = "var s = 'x'; while (s.length < 2000000) s += s; return Tool.echo(s)"
    assert failing(big, limits={"value_mb": 1}).code == "limit.value_size"
    shared = "var t = []; for (var i = 0; i < 60; i++) t = [t, t]; return Tool.echo(t)"
    assert failing(shared, limits={"value_mb": 1}).code == "limit.value_size"


def test_bytes_cross_as_bytes() -> None:
    assert run("return new Uint8Array([255, 254])") == {"$b": "//4="}
    source = """
        var b = Tool.echo({k: new Uint8Array([0, 255]).buffer}).k;
        return [b instanceof Uint8Array, b.length, b[1]]
    """
    assert run(source) == [True, 2, 255]


def test_text_that_is_no_utf8_comes_back_as_it_came() -> None:
    async def main() -> Any:
        async with duktape() as host:
            host.methods["Tool.give"] = lambda: b"caf\xe9".decode("utf-8", "surrogateescape")
            return await host.run("return [Tool.give(), Tool.give().length]")

    assert asyncio.run(main()) == ["caf\udce9", 4]


def test_null_is_null_and_undefined_fields_are_absent() -> None:
    assert run("return Tool.echo() === null && Tool.echo(undefined) === null") is True
    assert run("return Tool.echo({a: undefined, b: [undefined]})") == {"b": [None]}
    assert run("return JSON.null === null") is True


def test_errors_cross_as_errors() -> None:
    source = """
        var e = new TypeError("bad"); e.code = "my.code";
        return Tool.echo({e: e}).e
    """
    found = run(source)["$e"]
    assert found["code"] == "my.code"
    assert found["message"] == "TypeError: bad"


def test_a_value_that_writes_another_while_it_is_written_changes_neither() -> None:
    source = """
        return Tool.echo({a: {toJSON: function () { return JSON.encode({x: 1}, 2) }}, f: [1],
          b: {toJSON: function () { return Tool.echo([2]) }}})
    """
    assert run(source) == {"a": '{\n  "x": 1\n}', "f": [1], "b": [2]}
