"""JSON text <-> Lua values, through the channel and through the public `JSON`."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_bridge.worker.testing import CARRIERS, EngineHost, engine_host, manifest
from llmspell_core.errors import ScriptError

INT64 = st.integers(min_value=-(2**63), max_value=2**63 - 1)
SCALARS = (
    st.none()
    | st.booleans()
    | INT64
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["$", "$f", "$h", "$b", "$r", "$e", "1", "2", "", "a b"]
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
    """Equal, and of the same number types."""
    if isinstance(a, float) or isinstance(b, float):
        return type(a) is type(b) and a == b and math.copysign(1, a) == math.copysign(1, b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


def lua(carrier: str = "process", **options: Any) -> Any:
    return engine_host(
        "llmspell_lua.guest",
        carrier,
        requires=("lupa", "llmspell_lua"),
        globals=[manifest("Tool", "echo", "give", "take")],
        **options,
    )


def run(source: str, carrier: str = "process", **options: Any) -> Any:
    async def main() -> Any:
        async with lua(carrier, **options) as host:
            host.methods["Tool.echo"] = lambda value=None: value
            return await host.run(source)

    return asyncio.run(main())


def failing(source: str, **options: Any) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        run(source, **options)
    return caught.value


@pytest.mark.parametrize("carrier", CARRIERS)
def test_any_json_value_goes_in_and_out_unchanged(carrier: str) -> None:
    with asyncio.Runner() as runner:
        opened = lua(carrier)
        host: EngineHost = runner.run(opened.__aenter__())
        sent: list[Any] = []
        got: list[Any] = []
        host.methods["Tool.give"] = lambda: escaped(sent[-1])
        host.methods["Tool.take"] = got.append
        pass_on = runner.run(host.run("return function() Tool.take(Tool.give()) end"))
        identity = runner.run(host.run("return function(value) return value end"))

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
        ("1.0", "1.0"),
        ("-0.0", "-0.0"),
        ("0.1", "0.1"),
        ("1e300", "1e+300"),
        ("2^53", "9007199254740992.0"),
        ("1/3", "0.3333333333333333"),
        ("math.maxinteger", "9223372036854775807"),
        ("math.mininteger", "-9223372036854775808"),
        ("{}", "{}"),
        ("JSON.array{}", "[]"),
        ("{1, 2, 3}", "[1,2,3]"),
        ("{b = 1, a = 2}", '{"a":2,"b":1}'),
        ("{[1] = 'a', [3] = 'c'}", '{"1":"a","3":"c"}'),
        ("{'a', x = 1}", '{"1":"a","x":1}'),
        ("{[1.5] = true}", '{"1.5":true}'),
        ("JSON.null", "null"),
        ("{1, JSON.null, 3}", "[1,null,3]"),
        (r"'\u{1F600}\0\n\"\\'", r'"😀\u0000\n\"\\"'),
    ],
)
def test_stringify_writes_exactly(source: str, text: str) -> None:
    assert run(f"return JSON.stringify({source})") == text
    assert run(f"return JSON.parse(JSON.stringify({source}))") == json.loads(text)


def test_stringify_indents_and_sorts() -> None:
    assert run("return JSON.stringify({b={1,{}},a='x'}, 2)") == (
        '{\n  "a": "x",\n  "b": [\n    1,\n    {}\n  ]\n}'
    )
    assert run("return JSON.stringify({a=1}, {pretty=true})") == '{\n  "a": 1\n}'
    assert run("return JSON.encode({z=1,y=2,x=3})") == '{"x":3,"y":2,"z":1}'
    error = failing("JSON.stringify(1, {sort_kyes = true})")
    assert error.message == 'JSON.stringify: unknown option "sort_kyes"'
    assert error.hint == 'did you mean "sort_keys"?'
    assert "both spellings" in failing("JSON.encode(1, {sort_keys=true, sortKeys=true})").message


@pytest.mark.parametrize(
    ("source", "code", "where"),
    [
        ("0/0", "value.not_json", "the value"),
        ("{a = {b = {1, 1/0}}}", "value.not_json", "a.b[2]"),
        ("{[true] = 1}", "value.bad_key", "the value"),
        ("{a = {[{}] = 1}}", "value.bad_key", "a"),
        ("{[1] = 1, ['1'] = 2}", "value.bad_key", "the value"),
        ("(function() local t = {} t.a = {t} return t end)()", "value.cycle", "a[1]"),
        ("{a = coroutine.create(print)}", "value.unsupported", "a is a thread"),
        ("{t = Async.spawn(tostring, 1)}", "value.unsupported", "t is a task"),
        ("{g = Tool}", "value.unsupported", "g is the global Tool"),
    ],
)
def test_what_cannot_cross_is_refused_by_name(source: str, code: str, where: str) -> None:
    for call in ("JSON.stringify", "Tool.echo"):
        error = failing(f"return {call}({source})")
        assert error.code == code
        assert error.source == "spell.lua:1"
        if call == "Tool.echo":
            where = f"argument 1{where if where[0] == '[' else '.' + where}".replace(
                ".the value", ""
            )
        assert where in error.message


def test_public_json_has_no_handles_and_no_bytes() -> None:
    assert failing("return JSON.stringify({f = print})").code == "value.unsupported"
    assert failing(r"return JSON.stringify('\xff')").code == "value.not_json"
    assert run("""return JSON.stringify(JSON.parse('{"$f": 1}'))""") == '{"$f":1}'


def test_depth_and_size_are_bounded() -> None:
    nest = "local t = {} for _ = 2, %d do t = {t} end return Tool.echo(t)"
    assert run(nest % 64) is not None
    error = failing(nest % 65)
    assert error.code == "limit.value_depth"
    assert failing(nest % 9, limits={"value_depth": 8}).code == "limit.value_depth"
    assert failing("return Tool.echo(('x'):rep(2^21))", limits={"value_mb": 1}).code == (
        "limit.value_size"
    )
    shared = "local t = {} for _ = 1, 60 do t = {t, t} end return Tool.echo(t)"
    assert failing(shared, limits={"value_mb": 1}).code == "limit.value_size"
    deep = "local ok, e = pcall(JSON.parse, ('['):rep(1e6)) return e.code"
    assert run(deep) == "limit.value_depth"


@pytest.mark.parametrize(
    "value",
    [
        {"$": {"$": None}, "": None},
        {"$": {"$h": 1}, "b": {"$": {"$": '}"\\'}}},
        {"$": {}},
        {"$": {"$": {"$": {"$f": [{"$": 1}]}}}},
    ],
)
def test_data_that_looks_like_markers_in_markers_is_read_as_data(value: Any) -> None:
    async def main() -> Any:
        async with lua() as host:
            host.methods["Tool.give"] = lambda: escaped(value)
            return await host.run("return JSON.stringify(Tool.give())")

    assert json.loads(asyncio.run(main())) == value


def test_strings_that_are_not_utf8_cross_as_bytes() -> None:
    assert run(r"return Tool.echo('\xff\xfe') == '\xff\xfe'") is True
    assert run(r"return '\xff\xfe'") == {"$b": "//4="}
    assert run(r"return Tool.echo({k = '\0\xff'}).k") == {"$b": "AP8="}


def test_what_the_host_writes_for_bytes_of_files_comes_back_as_bytes() -> None:
    async def main() -> Any:
        async with lua() as host:
            host.methods["Tool.give"] = lambda: b"caf\xe9 \xc3\xa9".decode(
                "utf-8", "surrogateescape"
            )
            return await host.run(r"return Tool.give() == 'caf\xe9 \xc3\xa9'")

    assert asyncio.run(main()) is True


def test_null_is_kept_in_data_and_nil_alone() -> None:
    assert run("return Tool.echo(nil) == nil") is True
    assert (
        run("local t = Tool.echo({1, JSON.null, 3}) return #t == 3 and t[2] == JSON.null") is True
    )
    assert run("return Tool.echo({a = JSON.null}).a == JSON.null") is True
    assert run("return tostring(JSON.null)") == "null"
    assert "read-only" in failing("JSON.null.x = 1").message


def test_arrays_of_the_host_stay_arrays() -> None:
    async def main() -> Any:
        async with lua() as host:
            host.methods["Tool.give"] = lambda: {"empty": [], "object": {}}
            host.methods["Tool.echo"] = lambda value: value
            return await host.run("return Tool.echo(Tool.give())")

    assert asyncio.run(main()) == {"empty": [], "object": {}}
    assert run("local t = Tool.echo({1}) t[1] = nil return JSON.stringify(t)") == "[]"
    assert run("local t = setmetatable(Tool.echo({1}), {__index = {x = 5}}) return t.x") == 5


def test_integers_of_json_beyond_64_bits_are_refused_never_rounded() -> None:
    assert run("return JSON.parse('9223372036854775807')") == 2**63 - 1
    assert failing("return JSON.parse('9223372036854775808')").code == "value.not_json"
    assert failing("return JSON.parse('-9223372036854775809')").code == "value.not_json"


@pytest.mark.parametrize(
    "text",
    ["", " ", "01", "1.", ".5", "-", "+1", "1e", "1e999", "nul", "tru", "[1,]", "[1 2]", "{a:1}",
     '{"a" 1}', '{"a":1,}', '"a', '"\\x"', '"\\u12g4"', '"a\nb"', "[", "{", "1 2", "NaN", "0x10"],
)  # fmt: skip
def test_what_is_no_json_is_refused(text: str) -> None:
    error = failing(f"return JSON.parse({json.dumps(text)})")
    assert error.code == "value.not_json"
    assert "character" in error.message


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | VALUES.map(json.dumps))
def test_parse_agrees_with_python(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=lambda name: 1 / 0)
        fits = True
    except (ValueError, ZeroDivisionError):
        fits = False
    outcome = CODEC(text)
    if fits:
        assert outcome is not None
        assert json.loads(outcome) == expected or "e" in text or "E" in text or len(text) > 18
    else:
        assert outcome is None


def _codec() -> Any:
    """`JSON.parse` and `stringify` as a Python function: None for what is refused."""
    from llmspell_lua.guest import create

    class Silent(EngineHost):
        def __init__(self) -> None:
            self.result: str | None = None
            self.methods = {}
            self.text = ""

        def call(self, call_id: int, target: Any, method: str, args: str, origin: int = 0) -> Any:
            if method == "give":
                return True, json.dumps(self.text)
            self.result = json.loads(args)[0]
            return True, "null"

        def done(self, call_id: int, ok: bool, value: str) -> None: ...

        def idle(self) -> None: ...

    host = Silent()
    session = create(host, {"globals": [manifest("Tool", "give", "take")]})

    def codec(text: str) -> str | None:
        host.text, host.result = text, None
        session.run(
            1,
            "local ok, v = pcall(JSON.parse, Tool.give())"
            " if ok then Tool.take(JSON.stringify(v)) end",
            "codec.lua",
            "script",
        )
        return host.result

    return codec


CODEC = _codec()
