"""A parameter that takes this or that: its mistakes name the field and what was expected."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from llmspell_core.globals.hook import HookOptions
from llmspell_core.schema import pydantic_mistakes
from llmspell_core.script.api import ScriptFunction
from llmspell_core.script.model import ScriptModel


class Sent(ScriptModel):
    """A request, for these tests."""

    headers: dict[str, str] | None = None
    body: str | list[int] | None = None


class Function:
    """A function of a script."""

    where = ""

    async def __call__(self, *args: Any) -> None: ...


def mistakes(hint: Any, value: Any) -> list[str]:
    adapter: TypeAdapter[Any] = TypeAdapter(hint, config={"arbitrary_types_allowed": True})
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(value)
    found = pydantic_mistakes(caught.value)
    return [f"{one['field']}: {one['message']}" for one in found]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, [": must be a function or a table, not 3"]),
        ({}, ["handler: is required"]),
        ({"handler": 1}, ["handler: must be a function, not 1"]),
        (
            {"handler": Function(), "priorty": 1},
            [': unknown field "priorty", did you mean "priority"?'],
        ),
        (
            {"handler": Function(), "priority": [], "timeout_ms": "x"},
            [
                "priority: must be a number or a string, not a list",
                'timeout_ms: must be a number, not "x"',
            ],
        ),
    ],
)
def test_a_function_or_a_table(value: Any, expected: list[str]) -> None:
    assert mistakes(ScriptFunction | HookOptions, value) == expected


def test_keys_of_data_are_part_of_the_place() -> None:
    assert mistakes(str | Sent, {"headers": {"Accept": 3}}) == [
        "headers.Accept: must be a string, not 3"
    ]
    assert mistakes(str | Sent, {"body": ["x"]}) == ['body.0: must be a whole number, not "x"']
    assert mistakes(Sent | int, {"body": 3}) == ["body: must be a string or a list, not 3"]
