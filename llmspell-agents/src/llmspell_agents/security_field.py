"""The field `security` of an agent: checked when the agent is made, laid one inside the other."""

from __future__ import annotations

from typing import Any

from llmspell_core.errors import LLMSpellError
from llmspell_core.names import to_snake
from llmspell_core.schema import describe
from llmspell_core.security.narrow import narrower

#: One table, or several that all hold: those of the levels of a template.
Security = dict[str, Any] | list[dict[str, Any]] | None


def layers_of(security: Security) -> list[dict[str, Any]]:
    """The tables of a `security`, the lowest level first."""
    if not security:
        return []
    return [security] if isinstance(security, dict) else [*security]


def both(below: Security, own: Security) -> Security:
    """Both hold: what one of them forbids, the other cannot allow."""
    layers = [*layers_of(below), *(one for one in layers_of(own) if one not in layers_of(below))]
    return layers[0] if len(layers) == 1 else layers or None


def checked_security(given: Any) -> Any:
    """The tables with their fields in snake_case, as a validator: mistakes are `ValueError`s."""
    if given is None or given == []:
        return None
    if isinstance(given, list):
        return [_checked(one) for one in given]
    return _checked(given)


def _checked(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValueError(f"must be a table, not {describe(given)}")
    made = {to_snake(key) if isinstance(key, str) else key: _spelled(given[key]) for key in given}
    # A template's parameter stands for a value that is not known yet.
    known = {key: value for key, value in made.items() if "{{" not in str(value)}
    try:
        narrower(known)
    except LLMSpellError as error:
        hint = f", {error.hint}" if error.hint else ""
        raise ValueError(f"{error.message.removeprefix('security: ')}{hint}") from None
    return made


def _spelled(value: Any) -> Any:
    """The fields of a table inside, such as `maxBytes`, in snake_case."""
    if not isinstance(value, dict):
        return value
    return {to_snake(key) if isinstance(key, str) else key: inner for key, inner in value.items()}
