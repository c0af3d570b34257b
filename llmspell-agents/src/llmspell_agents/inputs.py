"""The variables that an agent asks each run for (`inputs`): declared and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_core.errors import ValidationError, did_you_mean
from llmspell_core.schema import mistakes_text, schema_mistakes, short_form

if TYPE_CHECKING:
    from llmspell_core.messages import AgentInput


def checked_input(declared: dict[str, Any], input: AgentInput, name: str) -> AgentInput:
    """The input with the defaults of variables that it leaves out.

    Raises `input.invalid` naming each missing and wrong one, and unknown ones where the schema
    allows no others.
    """
    if not declared:
        return input
    schema = short_form(declared)
    given = {**input.parameters, **input.variables}
    known = schema["properties"]
    defaults = {key: spec["default"] for key, spec in known.items() if "default" in spec}
    values = {**defaults, **given}
    mistakes = schema_mistakes(schema, values)
    if mistakes:
        unknown = [key for key in given if key not in known]
        hints = [near for key in unknown if (near := did_you_mean(key, [*known]))]
        raise ValidationError(
            f"agent {name}: {mistakes_text(mistakes)}",
            hint="; ".join(hints) or f"variables: {', '.join(known)}",
            details={"errors": mistakes},
        )
    return input.model_copy(update={"variables": {**defaults, **input.variables}})


def schema_with_text(declared: dict[str, Any]) -> dict[str, Any]:
    """The schema of an agent as a tool: its variables, and a text beside them."""
    schema = short_form(declared)
    text = {"type": "string", "description": "what it is asked, beside the other fields"}
    return {**schema, "properties": {"input": text, **schema["properties"]}}
