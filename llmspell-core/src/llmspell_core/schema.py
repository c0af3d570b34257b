"""JSON Schema: validation of plain data, and mistakes in the same words whoever found them."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import ValidationError

if TYPE_CHECKING:
    from pydantic import ValidationError as PydanticError

#: How much of a wrong value an error message repeats.
MAX_SHOWN = 40
#: How many mistakes are told at once, and how much of each.
MAX_MISTAKES = 100
MAX_MESSAGE = 1000

_WORDS = {
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a table",
    "list_type": "must be a list",
    "missing": "is required",
    "is_instance_of": "must be a function",
    "model_type": "must be a table",
}


def pydantic_mistakes(error: PydanticError) -> list[dict[str, str]]:
    """Each mistake as `{field, message}`, in a user's words; one for a value of no right type."""
    from llmspell_core.script.model import Unknown

    rows = error.errors(include_url=False, include_context=True)
    unknown = [one for one in rows if isinstance(one.get("input"), Unknown)]
    # A field that was misspelt is not missing as well.
    misspelt = {(*one["loc"][:-1], one["input"].near) for one in unknown}
    expected: dict[str, list[str]] = {}
    found: dict[str, dict[str, str]] = {}
    rest = [one for one in rows if not isinstance(one.get("input"), Unknown)]
    for one in (*unknown, *rest):
        if any(_beside_the_point(one, other) for other in rows):
            continue
        if one["type"] == "missing" and one["loc"] in misspelt:
            continue
        if isinstance(given := one.get("input"), Unknown):
            where = ".".join(str(part) for part in one["loc"][:-1] if not _is_branch(part))
            found[f"{where}: {given.text}"] = {"field": where, "message": given.text}
            continue
        if one["type"] == "extra_forbidden":
            where = ".".join(str(part) for part in one["loc"][:-1] if not _is_branch(part))
            extra = f'unknown field "{one["loc"][-1]}"'
            found[f"{where}: {extra}"] = {"field": where, "message": extra}
            continue
        where = ".".join(str(part) for part in one["loc"] if not _is_branch(part))
        text = _WORDS.get(one["type"])
        if text and one["type"] != "missing":
            words = expected.setdefault(where, [])
            words += [text] if text not in words else []
            text = f"{_either(words)}, not {describe(one.get('input'))}"
            found[where] = {"field": where, "message": text}
        else:
            text = text or _plain(one["msg"])
            found[f"{where}: {text}"] = {"field": where, "message": text}
    return [*found.values()]


def _either(words: list[str]) -> str:
    """`must be a number` and `must be a string` as `must be a number or a string`."""
    return " or ".join([words[0], *(word.removeprefix("must be ") for word in words[1:])])


def _beside_the_point(one: Any, other: Any) -> bool:
    """Whether this is a wrong type of a choice, and another choice had the right one."""
    at = len(one["loc"]) - 1
    if at < 0 or one["type"] not in _WORDS or one["type"] == "missing":
        return False
    mine, theirs = one["loc"], other["loc"]
    same_choice = _is_branch(mine[at]) and mine[:at] == theirs[:at] and mine[at:] != theirs[at:]
    if not same_choice or len(theirs) <= at or not _is_branch(theirs[at]):
        return False
    return len(theirs) > len(mine) or other["type"] not in _WORDS


def _is_branch(part: Any) -> bool:
    """Whether a part of a place is no field but the name pydantic gives a choice of a union."""
    if not isinstance(part, str):
        return False
    from llmspell_core.script.model import ScriptModel

    return part in _BRANCHES or "[" in part or part in _model_names(ScriptModel)


def _model_names(model: type) -> set[str]:
    below: list[type] = model.__subclasses__()
    return {one.__name__ for one in below}.union(*(_model_names(one) for one in below))


_BRANCHES = frozenset({"str", "int", "float", "bool", "bytes", "none", "dict", "list"})


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should be", "must be")


def describe(value: Any) -> str:
    """A value's type for an error message, with the value itself where it is short."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value}"
    if isinstance(value, str):
        short = value if len(value) <= MAX_SHOWN else f"{value[:MAX_SHOWN]}..."
        return json.dumps(short, ensure_ascii=False)
    names: dict[type, str] = {dict: "a table", list: "a list", bytes: "bytes"}
    return names.get(type(value), "a function" if callable(value) else "an object")


def mistakes_text(mistakes: list[dict[str, str]]) -> str:
    """All mistakes in one line: `timeout_ms must be a number, not "soon"; input is required`."""
    return "; ".join(map(_mistake_text, mistakes))


def _mistake_text(one: dict[str, str]) -> str:
    field, message = one["field"], one["message"]
    if not field:
        return message
    # "input is required" reads on; whole sentences need the colon.
    return f"{field}{' ' if message.startswith(('must ', 'is ')) else ': '}{message}"


def check_schema(schema: dict[str, Any], what: str = "schema") -> None:
    """Raise `input.invalid` when this is no valid JSON schema."""
    import jsonschema

    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        where = "/".join(str(part) for part in error.absolute_path)
        raise ValidationError(
            f"{what}: {where + ': ' if where else ''}{error.message}",
            hint="a JSON schema (draft 2020-12) is expected here",
        ) from None


def schema_mistakes(schema: dict[str, Any], value: Any) -> list[dict[str, str]]:
    """The places where a value breaks the schema, as `{field, message}`; empty when valid.

    Raises:
        LimitError: `limit.schema_time`, where that takes too long.
        ValidationError: `input.invalid`, where the schema cannot be used.
    """
    from llmspell_core.schema_checks import first_mistakes

    found = []
    for error in first_mistakes(_validator(json.dumps(schema)), value, MAX_MISTAKES):
        where = ".".join(str(part) for part in error.absolute_path)
        message = error.message
        if len(message) > MAX_MESSAGE:
            message = f"{message[:MAX_MESSAGE]}..."
        found.append({"field": where, "message": message})
    return found


@functools.lru_cache(maxsize=256)
def _validator(text: str) -> Any:
    import referencing

    from llmspell_core.schema_checks import validator_class

    # An empty registry: a `$ref` to an address must fail rather than be fetched.
    return validator_class()(json.loads(text), registry=referencing.Registry())


def short_form(parameters: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema from what scripts may write: a schema as it is, or `{field = "string"}`.

    In the short form a type may end in `?` (optional), and a table is a field's own schema.
    """
    if not parameters:
        return {"type": "object", "properties": {}}
    if isinstance(parameters.get("type"), str) and parameters["type"] == "object":
        return {"properties": {}, **parameters}
    properties: dict[str, Any] = {}
    required: list[str] = []
    for name, given in parameters.items():
        spec = given
        if isinstance(given, str):
            kind = given.removesuffix("?").strip()
            if kind not in _TYPES:
                raise ValidationError(
                    f'parameter "{name}": unknown type "{given}"',
                    hint=f"one of {', '.join(_TYPES)}, or a JSON schema",
                )
            spec = {"type": _TYPES[kind]} if _TYPES[kind] else {}
            if not given.endswith("?"):
                required.append(name)
        elif isinstance(given, dict):
            spec = {k: v for k, v in given.items() if k not in ("required", "optional")}
            if given.get("required") is True or given.get("optional") is False:
                required.append(name)
        else:
            raise ValidationError(f'parameter "{name}": a type name or a schema is expected')
        properties[name] = spec
    return {"type": "object", "properties": properties, "required": required}


_TYPES = {
    "string": "string",
    "number": "number",
    "integer": "integer",
    "int": "integer",
    "float": "number",
    "boolean": "boolean",
    "bool": "boolean",
    "object": "object",
    "table": "object",
    "array": "array",
    "list": "array",
    "any": "",
}
