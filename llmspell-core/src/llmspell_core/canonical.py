"""JSON schemas in one order, whoever wrote them: what models are shown is the same each time.

Services keep what they have read of a prompt as long as its beginning stays the same to the
byte, and the tools stand at its beginning.
"""

from __future__ import annotations

from typing import Any

#: Keywords whose keys are names of the schema's author.
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
#: Keywords that people write first, in this order; the others follow sorted.
_FIRST = (
    "type",
    "title",
    "description",
    "properties",
    "items",
    "required",
    "additionalProperties",
)
_RANK = {key: rank for rank, key in enumerate(_FIRST)}
#: Keywords that hold values, not schemas.
_VALUES = ("default", "const", "enum", "examples", "example", "required")


def canonical_schema(schema: Any) -> Any:
    """The same schema with its keys in order.

    Keywords come in one order. Properties that are required come first, in the order of `required`,
    which says what a model shall write first; then the others, sorted.
    """
    if isinstance(schema, list):
        return [canonical_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for key in sorted(schema, key=_rank):
        value = schema[key]
        if key in _NAMED and isinstance(value, dict):
            first = schema.get("required") if key == "properties" else None
            made[key] = {name: canonical_schema(value[name]) for name in _order(value, first)}
        else:
            made[key] = value if key in _VALUES else canonical_schema(value)
    return made


def _rank(key: str) -> tuple[int, str]:
    return _RANK.get(key, len(_RANK)), key


def _order(named: dict[str, Any], first: Any) -> list[str]:
    begin = [one for one in first if one in named] if isinstance(first, list) else []
    return [*dict.fromkeys(begin), *sorted(key for key in named if key not in begin)]
