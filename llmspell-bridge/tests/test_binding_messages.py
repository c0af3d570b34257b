"""A wrong call says which method and which field, and what was expected."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Literal

import pytest

from llmspell_bridge.testing import CARRIERS, run_source, script_runtime
from llmspell_core.errors import LLMSpellError
from llmspell_core.script.api import ScriptFunction, ScriptGlobal, ScriptObject, script_method
from llmspell_core.script.model import ScriptModel


class Options(ScriptModel):
    aliases: ClassVar[dict[str, str]] = {"ms": "timeout_ms"}

    timeout_ms: int | None = None
    system_prompt: str = ""
    mode: Literal["fast", "slow"] = "fast"
    data: dict[str, Any] | None = None


class Door(ScriptObject):
    type_name = "door"

    def script_fields(self) -> dict[str, Any]:
        return {"id": "d", "name": "front"}

    @script_method
    def open(self, how_far: float) -> float:
        return how_far


class HouseGlobal(ScriptGlobal):
    """A house."""

    name = "House"
    aliases = ("Houses",)
    objects = (Door,)

    @script_method(aliases=("build",))
    async def make(self, name: str, rooms: int = 1, options: Options | None = None) -> list[Any]:
        return [name, rooms, options.model_dump(exclude_unset=True) if options else None]

    @script_method
    def door(self, name: str | None = None) -> Door:
        return Door()

    @script_method
    def each(self, fn: ScriptFunction) -> str:
        return type(fn).__name__

    @script_method
    def many(self, first: Any, *rest: float) -> list[Any]:
        return [first, *rest]

    @script_method
    def table(self, value: dict[str, Any], flag: bool = False) -> dict[str, Any]:
        return {**value, "flag": flag}

    @script_method
    def plain(self, value: dict, items: list = []) -> list[Any]:  # type: ignore[type-arg]  # noqa: B006
        return [value, items]

    @script_method
    def one_of(self, value: str | float) -> Any:
        return value

    @script_method(hidden=True)
    def secret(self) -> str:
        return "hidden"

    @script_method
    def nothing(self) -> None: ...


def run(source: str, carrier: str = "process") -> Any:
    async def main() -> Any:
        async with script_runtime(HouseGlobal, isolation=carrier) as runtime:
            return (await run_source(runtime, source)).value

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("House.make(5)", "House.make: name must be a string, not 5"),
        ("House.make(true)", "House.make: name must be a string, not true"),
        ("House.make({})", "House.make: name must be a string, not a table"),
        ("House.make()", "House.make: name is required"),
        ("House.make(nil, 3)", "House.make: name is required"),
        ("House.build(5)", "House.make: name must be a string, not 5"),
        ("Houses.make(5)", "House.make: name must be a string, not 5"),
        ("House.make('a', 'b')", 'House.make: rooms must be a whole number, not "b"'),
        ("House.make('a', '5')", 'House.make: rooms must be a whole number, not "5"'),
        ("House.make('a', true)", "House.make: rooms must be a whole number, not true"),
        ("House.make('a', 1.5)", "House.make: rooms must be a whole number, not 1.5"),
        ("House.make('a', 1, 7)", "House.make: options must be a table, not 7"),
        (
            "House.make('a', 1, {timeout_ms = 'soon'})",
            'House.make: options.timeout_ms must be a whole number, not "soon"',
        ),
        (
            "House.make('a', 1, {timeout = 1})",
            'House.make: options: unknown field "timeout", did you mean "timeout_ms"?',
        ),
        (
            "House.make('a', 1, {system_prompt = 'x', systemPrompt = 'y'})",
            'House.make: options: "systemPrompt" and "system_prompt" are the same field: give one',
        ),
        (
            "House.make('a', 1, {mode = 'medium'})",
            "House.make: options.mode must be 'fast' or 'slow'",
        ),
        ("House.make('a', 1, {}, 4)", "House.make takes at most 3 arguments, 4 given"),
        ("House.door('a', 'b')", "House.door takes at most 1 argument, 2 given"),
        ("House.nothing(1)", "House.nothing takes no arguments, 1 given"),
        ("House.each('f')", 'House.each: fn must be a function, not "f"'),
        ("House.many(1, 2, 'x')", 'House.many: rest must be a number, not "x"'),
        ("House.table('x')", 'House.table: value must be a table, not "x"'),
        ("House.table({}, 1)", "House.table: flag must be true or false, not 1"),
        ("House.plain(3)", "House.plain: value must be a table, not 3"),
        ("House.plain({}, {a = 1})", "House.plain: items must be a list, not a table"),
        ("House.one_of({})", "House.one_of: value must be a string or a number, not a table"),
        ("House.door():open('x')", 'door.open: how_far must be a number, not "x"'),
        ("House.door():open(true)", "door.open: how_far must be a number, not true"),
    ],
)
def test_the_message_names_global_method_and_field(call: str, message: str) -> None:
    with pytest.raises(LLMSpellError) as caught:
        run(f"\nreturn {call}")
    assert caught.value.message == message
    assert caught.value.code == "input.invalid"
    assert caught.value.source == "spell.lua:2"


@pytest.mark.parametrize("carrier", CARRIERS)
def test_right_calls_in_every_spelling(carrier: str) -> None:
    source = """
      local function keys(t) local n = 0 for _ in pairs(t) do n = n + 1 end return n end
      return {
        House.make("a"), House.make("a", nil), House.build("a", 2.0),
        Houses.make("a", 1, {systemPrompt = "s", timeoutMs = 5}),
        House.make("a", 1, {system_prompt = "s", ms = 5}),
        House:make("a"), House.many(1), House.many(nil, 2, 3.5), House.table({}),
        House.plain({}), House.plain({}, {}), House.one_of("x"), House.one_of(1),
        House.door(nil).name, House.door():open(2), House.oneOf("camel"),
        House.table({aB = 1, a_b = {camelCase = true}}), House.secret(),
        House.each(function() end), House.make == Houses.make,
      }
    """
    assert run(source, carrier) == [
        ["a", 1, None], ["a", 1, None], ["a", 2, None],
        ["a", 1, {"system_prompt": "s", "timeout_ms": 5}],
        ["a", 1, {"system_prompt": "s", "timeout_ms": 5}],
        ["a", 1, None], [1], [None, 2, 3.5], {"flag": False},
        [{}, []], [{}, []], "x", 1,
        "front", 2, "camel",
        {"aB": 1, "a_b": {"camelCase": True}, "flag": False}, "hidden",
        "GuestFunction", True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("House.mkae('a')", 'did you mean "make"?'),
        ("House.door():opne(1)", 'did you mean "open"?'),
        ("Huose.make('a')", 'did you mean "House"?'),
        ("Tool.exceute('calculator')", 'did you mean "execute"?'),
    ],
)
def test_a_misspelt_method_or_global_gets_the_nearest_name(source: str, hint: str) -> None:
    with pytest.raises(LLMSpellError) as caught:
        run(source)
    assert caught.value.hint == hint
    assert caught.value.source == "spell.lua:1"


def test_what_an_engine_asks_for_that_does_not_exist_is_named() -> None:
    from llmspell_bridge.dispatch import Dispatcher
    from llmspell_bridge.handles import HandleTable

    async def main() -> None:
        async with script_runtime(HouseGlobal) as runtime:
            ctx = runtime.context()
            handles = HandleTable(lambda handle, args: asyncio.sleep(0), lambda handle, times: None)
            dispatch = Dispatcher(ctx, handles, {"House": HouseGlobal}, frozenset())
            for target, method, code in [
                ("House", "mak", "name.not_found"),
                ("Nothing", "x", "script.protocol"),
                (7, "x", "script.protocol"),
                (True, "x", "script.protocol"),
                ("House", 5, "script.protocol"),
                ("House\0x", "y", "script.protocol"),
                ("House", "_without", "name.not_found"),
                ("House", "__init__", "name.not_found"),
                ("House", "ctx", "name.not_found"),
            ]:
                with pytest.raises(LLMSpellError) as caught:
                    dispatch.call(target, method, [])
                assert caught.value.code == code, (target, method)
                if method == "mak":
                    assert caught.value.message == "House has no method mak"
                    assert caught.value.hint == 'did you mean "make"?'

    asyncio.run(main())


def test_a_global_reaches_no_other_attribute_of_its_class() -> None:
    source = "return {House.ctx == nil, House._session_ctx == nil, House.__init__ == nil}"
    assert run(source) == [True, True, True]
