"""Functions that a specification holds: of the script (`ScriptFunction`) or of Python."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from llmspell_core.schema import describe
from llmspell_core.script.api import ScriptFunction


def _function(value: Any) -> Any:
    if value is None or callable(value):
        return value
    raise PydanticCustomError(
        "function_type", "must be a function, not {given}", {"given": describe(value)}
    )


#: A field that holds a function; Python's own may be sync or async.
Function = Annotated[ScriptFunction, PlainValidator(_function), WithJsonSchema({})]


async def call(function: Any, *args: Any) -> Any:
    """Call a function, sync or async, and give its value."""
    value = function(*args)
    return await value if inspect.isawaitable(value) else value


def truthy(value: Any, language: str) -> bool:
    """Whether a condition's value holds: in Lua only nil and false do not."""
    if language == "lua":
        return value is not None and value is not False
    return bool(value)


def where(function: Any) -> str:
    """A function as data: where it is defined, for specifications shown to people."""
    place = getattr(function, "where", "") or getattr(function, "__qualname__", "")
    return str(place) or "function"
