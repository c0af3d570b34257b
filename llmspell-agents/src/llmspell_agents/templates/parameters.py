"""The parameters of a template: declared, inherited, checked, and put where they are named."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel

from llmspell_core.errors import ValidationError, did_you_mean
from llmspell_core.schema import check_schema, mistakes_text, schema_mistakes, short_form

Schema = dict[str, Any]

EMPTY: Schema = {"type": "object", "properties": {}, "required": []}
_ALONE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_MISSING = object()


def declared(below: Schema, given: dict[str, Any], label: str) -> Schema:
    """The parameters of a level over those of the level below it, as a JSON schema.

    Raises `input.invalid` for what is no declaration.
    """
    if _is_schema(given):
        properties, required = given["properties"], [*given.get("required", [])]
    else:
        properties, required = _short(below, given)
    made = {**below["properties"]}
    for name, spec in properties.items():
        made[name] = {**made.get(name, {}), **spec}
    wanted = [one for one in below["required"] if one not in properties] + required
    schema = {
        "type": "object",
        "properties": made,
        "required": [n for n in made if n in wanted and "default" not in made[n]],
    }
    check_schema(schema, f"{label}: parameters")
    return schema


def _is_schema(given: dict[str, Any]) -> bool:
    return given.get("type") == "object" and isinstance(given.get("properties"), dict)


def _short(below: Schema, given: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    defaults = {
        name: {"default": value}
        for name, value in given.items()
        if name in below["properties"] and not isinstance(value, dict)
    }
    new = short_form({name: spec for name, spec in given.items() if name not in defaults})
    return {**new["properties"], **defaults}, [*new.get("required", [])]


def checked(schema: Schema, values: dict[str, Any], label: str) -> dict[str, Any]:
    """The values with the defaults of those that are left out.

    Raises `input.invalid` naming each unknown, missing and wrong one.
    """
    known = schema["properties"]
    mistakes = [
        {
            "field": "",
            "message": f'unknown parameter "{name}"',
            "hint": did_you_mean(name, [*known]),
        }
        for name in values
        if name not in known
    ]
    mistakes += [
        {"field": f"parameter {name}", "message": "is required", "hint": None}
        for name in schema["required"]
        if values.get(name) is None
    ]
    given = {name: value for name, value in values.items() if value is not None and name in known}
    for one in schema_mistakes({**schema, "required": []}, given):
        where = f"parameter {one['field']}" if one["field"] else ""
        mistakes.append({"field": where, "message": one["message"], "hint": None})
    if mistakes:
        hints = [str(one["hint"]) for one in mistakes if one["hint"]]
        about = [{key: str(one[key]) for key in ("field", "message")} for one in mistakes]
        raise ValidationError(
            f"{label}: {mistakes_text(about)}",
            hint="; ".join(hints) or None,
            details={"errors": about},
        )
    defaults = {name: spec["default"] for name, spec in known.items() if "default" in spec}
    return {**dict.fromkeys(known), **defaults, **given}


def filled(value: Any, values: dict[str, Any]) -> Any:
    """Data in which each text that is one parameter alone is the parameter's value.

    What has no value is left out of its table or list; a list in a list becomes its items.
    """
    found = _filled(value, values)
    return None if found is _MISSING else found


def _filled(value: Any, values: dict[str, Any]) -> Any:
    if isinstance(value, str):
        match = _ALONE.fullmatch(value)
        if match is None or match[1] not in values:
            return value
        return _MISSING if values[match[1]] is None else values[match[1]]
    if isinstance(value, list):
        return [*_items(value, values)]
    if isinstance(value, BaseModel):
        return _filled({name: getattr(value, name) for name in value.model_fields_set}, values)
    if isinstance(value, dict):
        made = {key: _filled(inner, values) for key, inner in value.items()}
        return {key: inner for key, inner in made.items() if inner is not _MISSING}
    return value


def _items(given: list[Any], values: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for item in given:
        one = _text_of(item)
        inner = _filled(one, values)
        if isinstance(one, str) and isinstance(inner, list):
            found += inner
        elif inner is not _MISSING:
            found.append(item if inner is one else inner)
    return found


def _text_of(item: Any) -> Any:
    """The parameter that an item names alone, also where it was read as a record of one field."""
    if isinstance(item, BaseModel) and len(item.model_fields_set) == 1:
        only = getattr(item, next(iter(item.model_fields_set)))
        return only if isinstance(only, str) and _ALONE.fullmatch(only) else item
    return item
