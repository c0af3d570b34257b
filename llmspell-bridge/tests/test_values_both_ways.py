"""Values go from the host to a script and back through a real session, over both carriers."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import Enum, StrEnum
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_bridge.testing import CARRIERS, run_source, script_runtime
from llmspell_core.errors import LLMSpellError, NotFoundError, ScriptError
from llmspell_core.script.api import (
    Result,
    ScriptFunction,
    ScriptGlobal,
    ScriptObject,
    script_method,
)

INT64 = st.integers(min_value=-(2**63), max_value=2**63 - 1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
KEYS = st.sampled_from(["$", "$f", "$h", "$b", "$r", "$e", "$x", "1", "01", "", "a b", "é", "\0"])
JSON = st.recursive(
    st.none() | st.booleans() | INT64 | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | TEXT, inner, max_size=4),
    max_leaves=15,
)

each_carrier = pytest.mark.parametrize("carrier", CARRIERS)


def same(a: Any, b: Any) -> bool:
    """Equal, of the same number types and signs."""
    if isinstance(a, float) or isinstance(b, float):
        return type(a) is type(b) and a == b and math.copysign(1, a) == math.copysign(1, b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


class Lamp(ScriptObject):
    type_name = "lamp"

    def __init__(self, name: str) -> None:
        self.name = name

    def script_fields(self) -> dict[str, Any]:
        return {"id": self.name, "name": self.name, "watts": 5}

    @script_method
    def shine(self) -> str:
        return f"{self.name} shines"


class ProbeGlobal(ScriptGlobal):
    """Gives and takes values."""

    name = "Probe"
    objects = (Lamp,)
    #: What `give` gives, and what `take` got.
    given: Any = None
    taken: list[Any] = []  # noqa: RUF012 - reset by each test
    function: Any = None

    @script_method
    def give(self) -> Any:
        return type(self).given

    @script_method
    async def give_later(self) -> Any:
        await asyncio.sleep(0)
        return type(self).given

    @script_method
    def take(self, *values: Any) -> None:
        type(self).taken.extend(values)

    @script_method
    def keep(self, fn: ScriptFunction) -> None:
        type(self).function = fn

    @script_method
    def forget(self) -> None:
        type(self).function = None

    @script_method
    def refuse(self) -> None:
        raise type(self).given

    @script_method
    async def refuse_later(self) -> None:
        await asyncio.sleep(0)
        raise type(self).given


class Session:
    """One runtime and one running script, that stays while a test sends it values."""

    def __init__(self, runner: asyncio.Runner, carrier: str) -> None:
        self._runner = runner
        self._stack = contextlib.AsyncExitStack()
        self._runtime = runner.run(
            self._stack.enter_async_context(script_runtime(ProbeGlobal, isolation=carrier))
        )
        self._task = runner.get_loop().create_task(
            run_source(
                self._runtime,
                "Probe.keep(function(v) Probe.take(Probe.give(), Probe.give_later()) return v end)"
                "while true do Async.sleep(50) end",
            )
        )

        async def ready() -> None:
            while ProbeGlobal.function is None and not self._task.done():
                await asyncio.sleep(0.001)

        runner.run(ready())

    def echo(self, value: Any) -> list[Any]:
        """The value by each of four ways: an argument, two results, and what a function gives."""
        ProbeGlobal.given = value
        ProbeGlobal.taken.clear()
        returned = self._runner.run(ProbeGlobal.function(value))
        return [returned, *ProbeGlobal.taken]

    def close(self) -> None:
        ProbeGlobal.function = None
        self._task.cancel()

        async def end() -> None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            await self._stack.aclose()

        self._runner.run(end())


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    with asyncio.Runner() as runner:
        opened = Session(runner, request.param)
        yield opened
        opened.close()


def run(source: str, carrier: str = "process", given: Any = None, **options: Any) -> Any:
    async def main() -> Any:
        ProbeGlobal.given, ProbeGlobal.function = given, None
        ProbeGlobal.taken.clear()
        async with script_runtime(ProbeGlobal, isolation=carrier, **options) as runtime:
            return (await run_source(runtime, source)).value

    return asyncio.run(main())


def failing(source: str, carrier: str = "process", **options: Any) -> LLMSpellError:
    with pytest.raises(LLMSpellError) as caught:
        run(source, carrier, **options)
    return caught.value


# -- JSON ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("session", CARRIERS, indirect=True)
def test_any_json_value_comes_back_unchanged_by_every_way(session: Session) -> None:
    @settings(max_examples=150)
    @given(JSON)
    def holds(value: Any) -> None:
        for back in session.echo(value):
            assert same(back, value)

    holds()


@pytest.mark.parametrize("session", CARRIERS, indirect=True)
def test_values_at_the_edges_come_back_unchanged(session: Session) -> None:
    for value in [
        0, -0.0, 0.0, 1, 1.0, 2**53, 2.0**53, 2**53 + 1, 2**63 - 1, -(2**63), 5e-324,
        1.7976931348623157e308, 0.1, 1e-7, 1e21, "", "\0", "\u2028", "😀", "\ud7ff", "null",
        [], {}, [[]], [{}], {"": {}}, {"a": []}, [None], [None, None], {"a": None}, [1, 1.0],
        {"1": 1, "2": 2}, {"$": {"$": 1}}, {"$f": 1}, {"$h": [1, "x", {}]}, {"$b": "!"},
        {"$e": {"message": "m"}}, {"$r": [{"a": 1}]}, {"$": []}, {"$f": 1, "b": 2},
    ]:  # fmt: skip
        for back in session.echo(value):
            assert same(back, value), value


# -- what is no JSON, from the host ----------------------------------------------------------------


class Colour(StrEnum):
    RED = "red"


class Size(Enum):
    BIG = 3


@each_carrier
@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ((1, 2), [1, 2]),
        ({1: "a", 2.5: "b"}, {"1": "a", "2.5": "b"}),
        ({Colour.RED: Colour.RED, Size.BIG: Size.BIG}, {"red": "red", "3": 3}),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00+00:00"),
        ([date(2026, 1, 31)], ["2026-01-31"]),
        (PurePosixPath("a/b"), "a/b"),
        (Result({"first_name": "Ada"}), {"first_name": "Ada"}),
        (Result({"$f": 1}), {"$f": 1}),
    ],
)
def test_python_values_arrive_as_json(carrier: str, value: Any, arrives: Any) -> None:
    assert run("return Probe.give()", carrier, given=value) == arrives


@each_carrier
@pytest.mark.parametrize(
    ("value", "code", "where"),
    [
        (math.nan, "value.not_json", "the number nan"),
        ({"a": [1, math.inf]}, "value.not_json", "at a[1]"),
        ({"n": 2**63}, "value.not_json", "an integer beyond 64 bits at n"),
        ({"s": {1, 2}}, "value.not_json", "a value of type set at s"),
        ([object()], "value.not_json", "a value of type object at [0]"),
        ({"a": print}, "value.not_json", "at a"),
        ({"a": {None: 1}}, "value.not_json", "a key of type NoneType at a"),
        ({True: 1}, "value.not_json", "a key of type bool"),
        ({1: "a", "1": "b"}, "value.bad_key", 'two keys are "1"'),
    ],
)
def test_what_cannot_cross_is_an_error_that_names_the_place(
    carrier: str, value: Any, code: str, where: str
) -> None:
    for method in ("give", "give_later"):
        caught = run(
            f"local ok, e = pcall(Probe.{method}) return {{e.code, e.message}}", carrier, value
        )
        assert caught[0] == code
        assert where in caught[1]


@each_carrier
def test_cycles_and_depth_are_refused_in_both_directions(carrier: str) -> None:
    cycle: dict[str, Any] = {"a": []}
    cycle["a"].append(cycle)
    assert failing("return Probe.give()", carrier, given=cycle).code == "value.cycle"
    assert failing("local t = {} t.t = t Probe.take(t)", carrier).code == "value.cycle"

    def nested(levels: int) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return value

    assert run("return Probe.give()", carrier, given=nested(64)) == nested(64)
    assert failing("return Probe.give()", carrier, given=nested(65)).code == "limit.value_depth"
    deep = "local t = 1 for _ = 1, %d do t = {t} end Probe.take(t) return t"
    assert run(deep % 64, carrier) == nested(64)
    assert ProbeGlobal.taken == [nested(64)]
    assert failing(deep % 65, carrier).code == "limit.value_depth"


@each_carrier
def test_size_is_bounded_in_both_directions_and_can_be_caught(carrier: str) -> None:
    small = {"security": {"limits": {"value_mb": 1}}}
    big = "x" * (1 << 20)
    source = "local ok, e = pcall(Probe.give) return {ok, e.code}"
    assert run(source, carrier, given=big, settings=small) == [False, "limit.value_size"]
    assert run(source, carrier, given=[big], settings=small) == [False, "limit.value_size"]
    source = "local ok, e = pcall(Probe.take, ('x'):rep(1 << 20)) return {ok, e.code}"
    assert run(source, carrier, settings=small) == [False, "limit.value_size"]
    assert run("return #Probe.give()", carrier, given="é" * 400_000, settings=small) == 800_000
    error = failing("return ('x'):rep(1 << 20)", carrier, settings=small)
    assert error.code == "limit.value_size"


@each_carrier
def test_bytes_cross_as_strings_of_lua_and_come_back_as_bytes(carrier: str) -> None:
    for raw in (b"\xff\xfe\0", b"\x80" * 100):
        source = "local b = Probe.give() Probe.take(b) return #b"
        assert run(source, carrier, given=raw) == len(raw)
        assert ProbeGlobal.taken == [raw]
    # Bytes that are UTF-8 are text in Lua, which knows no difference.
    assert run("return Probe.give()", carrier, given=b"text") == "text"


@each_carrier
def test_null_and_nil(carrier: str) -> None:
    assert run("return Probe.give() == nil", carrier, given=None) is True
    assert run("return Probe.give().a == JSON.null", carrier, given={"a": None}) is True
    run("Probe.take(nil, JSON.null, {a = JSON.null}, 1)", carrier)
    assert ProbeGlobal.taken == [None, None, {"a": None}, 1]


@each_carrier
def test_a_result_reads_in_both_spellings_and_through_its_field(carrier: str) -> None:
    result = Result(
        {"first_name": "Ada", "result": {"last_name": "L", "first_name": "no"}}, "result"
    )
    source = (
        "local r = Probe.give() local keys = {} for k in pairs(r) do keys[#keys + 1] = k end "
        "table.sort(keys) return {r.firstName, r.first_name, r.lastName, r.last_name, keys}"
    )
    assert run(source, carrier, given=result) == [
        "Ada", "Ada", "L", "L", ["first_name", "result"],
    ]  # fmt: skip


# -- objects and functions -------------------------------------------------------------------------


@each_carrier
def test_host_objects_are_handles_with_fields_and_methods(carrier: str) -> None:
    lamp = Lamp("desk")
    source = (
        "local a, b = Probe.give(), Probe.give()[1] == nil Probe.take(a, {deep = {a}}) "
        "return {a.name, a.type, a.watts, a:shine(), a.shine(), tostring(a), a == Probe.give()}"
    )
    assert run(source, carrier, given=lamp) == [
        "desk", "lamp", 5, "desk shines", "desk shines", "lamp(desk)", True,
    ]  # fmt: skip
    assert ProbeGlobal.taken[0] is lamp
    assert ProbeGlobal.taken[1]["deep"][0] is lamp


@each_carrier
def test_host_objects_in_a_result_become_data_and_functions_are_left_out(carrier: str) -> None:
    source = "return {lamp = Probe.give(), f = print, list = {1, Probe.give()}}"
    shown = {"type": "lamp", "name": "desk", "id": "desk"}
    assert run(source, carrier, given=Lamp("desk")) == {"lamp": shown, "list": [1, shown]}
    assert run("return print", carrier) is None


@each_carrier
def test_a_function_is_the_same_function_when_it_comes_back(carrier: str) -> None:
    source = "local f = function() end Probe.take({f}) Probe.keep(f) return 1"

    async def main() -> bool:
        ProbeGlobal.taken.clear()
        async with script_runtime(ProbeGlobal, isolation=carrier) as runtime:
            await run_source(runtime, source)
            return ProbeGlobal.taken[0][0] is ProbeGlobal.function

    assert asyncio.run(main())
    back = """
      local f = function(x) return x end
      Probe.keep(function(g) return g == f, rawequal(f, g) end)
      Probe.take(f)
      while #Probe.give() == 0 do Async.sleep(1) end
      return true
    """

    async def round_trip() -> Any:
        ProbeGlobal.taken.clear()
        ProbeGlobal.given, ProbeGlobal.function = [], None
        async with script_runtime(ProbeGlobal, isolation=carrier) as runtime:
            running = asyncio.ensure_future(run_source(runtime, back))
            while not ProbeGlobal.taken:
                await asyncio.sleep(0.001)
            answer = await ProbeGlobal.function(ProbeGlobal.taken[0])
            ProbeGlobal.given = [1]
            await running
            return answer

    assert asyncio.run(round_trip()) is True


# -- errors ----------------------------------------------------------------------------------------


@each_carrier
@pytest.mark.parametrize("method", ["refuse", "refuse_later"])
def test_errors_of_the_host_are_objects_with_the_line_of_the_call(
    carrier: str, method: str
) -> None:
    error = NotFoundError("no lamp", code="lamp.none", hint="buy one", details={"near": ["desk"]})
    source = (
        f"local function f()\n  Probe.{method}()\nend\nlocal ok, e = pcall(f)\n"
        "return {e.message, e.code, e.hint, e.details.near[1], e.source, e.retryable, tostring(e)}"
    )
    assert run(source, carrier, given=error) == [
        "no lamp", "lamp.none", "buy one", "desk", "spell.lua:2", False, "spell.lua:2: no lamp",
    ]  # fmt: skip
    uncaught = failing(f"\n\nProbe.{method}()", carrier, given=error)
    assert (uncaught.code, uncaught.source, uncaught.hint) == (
        "lamp.none",
        "spell.lua:3",
        "buy one",
    )
    assert uncaught.stack is not None
    assert "spell.lua:3" in uncaught.stack


@each_carrier
def test_errors_of_the_host_that_are_bugs_show_no_traceback(carrier: str) -> None:
    error = failing("Probe.refuse()", carrier, given=ZeroDivisionError("by zero"))
    assert (error.code, error.message) == ("internal", "ZeroDivisionError: by zero")


@each_carrier
def test_details_that_cannot_cross_do_not_hide_the_error(carrier: str) -> None:
    error = LLMSpellError("broken", code="x.y", details={"bad": object()})
    for method in ("refuse", "refuse_later"):
        assert failing(f"Probe.{method}()", carrier, given=error).code == "x.y"


@each_carrier
def test_errors_of_the_script_keep_line_and_stack(carrier: str) -> None:
    error = failing("local function inner()\n  error('no')\nend\ninner()", carrier)
    assert isinstance(error, ScriptError)
    assert (error.code, error.message, error.source) == ("script.error", "no", "spell.lua:2")
    assert error.stack is not None
    assert "spell.lua:4" in error.stack
    table = failing("error({code = 'a.b', message = 'm', hint = 'h', more = 1})", carrier)
    assert (table.code, table.message, table.hint) == ("a.b", "m", "h")


@each_carrier
def test_an_error_handed_to_the_host_as_a_value_is_its_fields(carrier: str) -> None:
    run(
        "local _, e = pcall(Probe.refuse) Probe.take(e)",
        carrier,
        given=NotFoundError("gone", code="a.b"),
    )
    assert ProbeGlobal.taken[0]["message"] == "gone"
    assert ProbeGlobal.taken[0]["code"] == "a.b"
