"""What the configuration may hold: each key with its type, default, unit and one line.

The reference, `config explain`, completion and the JSON schema for editors come from here.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llmspell_core.config.settings import SECTIONS, VERSION
from llmspell_core.records import Key as Declared
from llmspell_core.records import Record
from llmspell_core.records.fitting import hints_of


def inner_model(annotation: Any) -> tuple[type[Record] | None, bool]:
    """The record inside an annotation, and whether it is the value of a dict."""
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return annotation, False
    args = typing.get_args(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for arg in args:
            if (found := inner_model(arg))[0]:
                return found
    elif typing.get_origin(annotation) is dict:
        return inner_model(args[1])[0], True
    return None, False


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `path` has `*` where a name of the user's stands (`providers.*.base_url`)."""

    path: tuple[str, ...]
    type: str
    default: Any
    doc: str
    unit: str = ""
    secret: bool = False
    restart: bool = False


def keys() -> Iterator[Key]:
    """Every key of the configuration, in its order."""
    yield Key(("version",), "whole number", VERSION, "of this schema")
    for name, spec in SECTIONS.items():
        if spec.kind == "free":
            yield Key((name, "*"), "table", None, spec.doc)
        elif spec.kind == "one":
            yield from _keys(spec.model(), (name,))
        else:
            yield from _keys(spec.model(), (name, "*"))


def _keys(model: type[Record], at: tuple[str, ...]) -> Iterator[Key]:
    for name, hint in hints_of(model).items():
        inner, many = inner_model(hint)
        if inner is not None:
            yield from _keys(inner, (*at, name, "*") if many else (*at, name))
        else:
            yield _key(model.declared[name], hint, (*at, name))


def _key(one: Declared, hint: Any, path: tuple[str, ...]) -> Key:
    return Key(
        path,
        type_words(hint),
        one.default,
        one.doc,
        unit=one.unit,
        secret=one.secret,
        restart=one.restart,
    )


def type_words(annotation: Any) -> str:
    """An annotation in a user's words: `text`, `whole number`, `list of text`, `a | b`."""
    plain = {
        str: "text",
        int: "whole number",
        float: "number",
        bool: "true or false",
        dict: "table",
        list: "list",
        Any: "anything",
    }
    if annotation in plain:
        return plain[annotation]
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " | ".join(str(arg) or '""' for arg in args)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(type_words(arg) for arg in args if arg is not type(None))
    if origin is list:
        return f"list of {type_words(args[0])}"
    return "table" if origin is dict else str(annotation)


def find(path: Sequence[str]) -> tuple[Declared, Any] | None:
    """The declaration behind a value's path and the value's type; None: free or unknown."""
    spec = SECTIONS.get(path[0]) if path else None
    if spec is None or spec.kind == "free":
        return None
    rest = list(path[1:] if spec.kind == "one" else path[2:])
    current: type[Record] | None = spec.model()
    found: tuple[Declared, Any] | None = None
    while rest and current is not None:
        name = rest.pop(0)
        if name not in current.declared:
            return None
        one, hint = current.declared[name], hints_of(current)[name]
        found = one, hint
        current, many = inner_model(hint)
        if rest and (many or typing.get_origin(hint) is dict):
            rest.pop(0)
            found = one, typing.get_args(hint)[1]
    return None if rest else found


def is_text(annotation: Any) -> bool:
    """Whether a value of this type is text, so that `5` and `true` are text as well."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return all(is_text(arg) for arg in args if arg is not type(None))
    return annotation is str or (origin is typing.Literal and isinstance(args[0], str))


def json_schema() -> dict[str, Any]:
    """The JSON schema of a configuration file, for editors."""
    properties: dict[str, Any] = {"version": {"type": "integer", "const": VERSION}}
    definitions: dict[str, Any] = {}
    for name, spec in SECTIONS.items():
        if spec.kind == "free":
            inner: dict[str, Any] = {"type": "object"}
        else:
            inner = spec.model().model_json_schema(ref_template="#/$defs/{model}")
            definitions |= inner.pop("$defs", {})
        if spec.kind == "text":
            inner = {"anyOf": [{"type": "string"}, inner]}
        if spec.kind != "one":
            inner = {"type": "object", "additionalProperties": inner}
        properties[name] = {**inner, "description": spec.doc}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "llmspell.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "$defs": definitions,
    }
