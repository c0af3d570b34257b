"""Parameter types that the tools share: names of operations, text, and mistakes found late."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from llmspell_core.errors import LimitError, ValidationError
from llmspell_core.script.model import to_snake
from llmspell_core.tool import invalid_parameters

#: What a tool takes in and gives out at most, in bytes or characters.
MAX_SIZE = 16 * 1024 * 1024


def spelled(**aliases: str) -> BeforeValidator:
    """Accept a name in any case, with hyphens or spaces, and by these aliases.

    For an annotated `Literal`, whose own error names what is possible.
    """

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        plain = to_snake(value) if value and not value.isupper() else value.lower()
        name = plain.strip().strip("_").replace("-", "_").replace(" ", "_")
        return aliases.get(name, name)

    return BeforeValidator(read)


def _text(value: Any) -> Any:
    # A step's output keeps its type: a number is as good as its digits here.
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value


Text = Annotated[str, BeforeValidator(_text)]


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


def check_size(tool: str, text: str | bytes, what: str = "input") -> None:
    """Raise `limit.value` for more than 16 MiB."""
    if len(text) > MAX_SIZE:
        raise LimitError(
            f"{tool}: {what} is larger than {MAX_SIZE // 1024 // 1024} MiB", code="limit.value"
        )
