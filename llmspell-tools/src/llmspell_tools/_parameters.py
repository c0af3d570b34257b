"""Parameter types that the tools share: names of operations, text, and mistakes found late."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, GetCoreSchemaHandler, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from llmspell_core.errors import LimitError, ValidationError, did_you_mean
from llmspell_core.names import to_snake
from llmspell_core.schema import describe
from llmspell_core.tool import invalid_parameters

#: What a tool takes in and gives out at most, in bytes or characters.
MAX_SIZE = 16 * 1024 * 1024


class Spelled:
    """For an annotated `Literal`: its names in any case, with hyphens or spaces, and by aliases."""

    def __init__(self, **aliases: str) -> None:
        self.aliases = aliases

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        names = [name for name in get_args(source) if isinstance(name, str)]

        def read(value: Any) -> Any:
            name = self._plain(value)
            if isinstance(name, str) and name not in names:
                raise _unknown_name(str(value), names, self.aliases)
            return name

        return core_schema.no_info_before_validator_function(read, handler(source))

    def _plain(self, value: Any) -> Any:
        value = _text(value)
        if not isinstance(value, str):
            return value
        name = value.lower() if value.isupper() else to_snake(value.strip())
        name = name.strip("_ ").replace("-", "_").replace(" ", "_").replace("__", "_")
        return self.aliases.get(name, name)


def _unknown_name(given: str, names: list[str], aliases: dict[str, str]) -> PydanticCustomError:
    near = did_you_mean(given, [*names, *aliases])
    return PydanticCustomError(
        "unknown_name",
        "must be one of {names}, not {given}{near}",
        {
            "names": ", ".join(names),
            "given": describe(given),
            "near": f", {near}" if near else "",
        },
    )


def _text(value: Any) -> Any:
    # A step's output keeps its type: a number is as good as its digits here.
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value


def _texts(value: Any) -> str | list[str]:
    # One validator for both: pydantic's error for a union names its members, not the field.
    if isinstance(value, list) and all(isinstance(_text(one), str) for one in value):
        return [str(one) for one in value]
    given = _text(value)
    if not isinstance(given, str):
        raise PydanticCustomError(
            "text", "must be a string or a list of strings, not {given}", {"given": describe(value)}
        )
    return given


def one_of(words: str, *kinds: type) -> PlainValidator:
    """Accept these types and nothing else, with one error for all: `must be` and the words."""

    def read(value: Any) -> Any:
        if isinstance(value, kinds):
            return value
        raise PydanticCustomError(
            "kind", "must be {words}, not {given}", {"words": words, "given": describe(value)}
        )

    return PlainValidator(read)


def _names(value: Any) -> Any:
    # One name needs no list; an empty table of Lua may be either.
    return [value] if isinstance(value, str) else value or []


#: A list of strings, or one of them alone.
Names = Annotated[list[str], BeforeValidator(_names)]
#: A string; numbers are read as their digits.
Text = Annotated[str, BeforeValidator(_text)]
#: A string, or a list of them.
Texts = Annotated[
    str | list[str],
    PlainValidator(_texts),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


def wrong(tool: str, field: str, message: str, *, hint: str | None = None) -> ValidationError:
    """`input.invalid` for one field, for what a schema cannot say."""
    error = invalid_parameters(tool, [{"field": field, "message": message}])
    error.hint = hint
    return error


def needed(tool: str, operation: str, **given: Any) -> None:
    """Raise `input.invalid` naming each parameter that this operation needs and has not got."""
    missing = [
        {"field": name, "message": f'is required for "{operation}"'}
        for name, value in given.items()
        if value is None
    ]
    if missing:
        raise invalid_parameters(tool, missing)


def check_size(tool: str, size: int, what: str = "input") -> None:
    """Raise `limit.value` for more than 16 MiB (or Mi characters)."""
    if size > MAX_SIZE:
        raise LimitError(
            f"{tool}: {what} is larger than {MAX_SIZE // 1024 // 1024} MiB", code="limit.value"
        )
