"""Compile a declaration to its manifest: the JSON that engines, stubs and docs are made from.

    {"name", "aliases", "doc", "kind", "call", "index", "values",
     "methods": {name: Method}, "builders": {method: {"setters": {name: [op, field]}, "build"}},
     "objects": {type: {"doc", "methods", "fields", "iterate", "builders"}},
     "types": {name: {"doc", "fields": [{"name", "type", "required", "doc", "aliases"}]}}}

    Method = {"aliases", "guest", "hidden", "async", "doc", "returns", "variadic",
              "params": [{"name", "type", "required", "doc"}]}

Types are written as in TypeScript: ``string``, ``integer``, ``number``, ``boolean``, ``any``,
``bytes``, ``T[]``, ``Record<string, T>``, ``A | B``, ``(...args: any[]) => any``, and the
names of the manifest's `types` and `objects`. A start needs the manifests only, so each
distribution ships them as ``script_manifest.json`` (made by ``scripts/manifests.py``).
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from llmspell_core.script.api import Builder, ScriptFunction, ScriptGlobal, ScriptObject
from llmspell_core.script.model import Also

FUNCTION = "((...args: any[]) => any)"
_SCALARS = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    bytes: "bytes",
    type(None): "null",
    Any: "any",
    object: "any",
    dict: "Record<string, any>",
    list: "any[]",
    tuple: "any[]",
}


def compile_manifest(cls: type[ScriptGlobal]) -> dict[str, Any]:
    """The manifest of one global."""
    found: dict[str, dict[str, Any]] = {}
    manifest = {
        "name": cls.name,
        "aliases": list(cls.aliases),
        "doc": inspect.getdoc(cls) or "",
        "kind": cls.kind,
        "call": cls.call,
        "values": "script_values" in vars(cls),
        "index": cls.index_type.type_name if cls.index_type else None,
        "methods": _methods(cls, found),
        "builders": _builders(cls.builders, found),
        "objects": {
            one.type_name: {
                "doc": inspect.getdoc(one) or "",
                "methods": _methods(one, found),
                "builders": _builders(one.builders, found),
                "iterate": one.iterate,
            }
            for one in cls.objects
        },
    }
    return {**manifest, "types": found}


def _methods(cls: type, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    methods: dict[str, Any] = {}
    for name, (attribute, mark) in cls.script_methods().items():  # type: ignore[attr-defined]
        if name != mark.name:
            continue
        function = getattr(cls, attribute)
        doc, notes = split_doc(inspect.getdoc(function) or "")
        hints = typing.get_type_hints(function, include_extras=True)
        parameters = list(inspect.signature(function).parameters.values())[1:]
        methods[name] = {
            "aliases": list(mark.aliases),
            "guest": mark.guest,
            "hidden": mark.hidden,
            "async": inspect.iscoroutinefunction(function),
            "doc": doc,
            "returns": type_text(hints.get("return", Any), found),
            "variadic": any(p.kind is p.VAR_POSITIONAL for p in parameters),
            "params": [
                {
                    "name": p.name.rstrip("_"),
                    "type": type_text(hints.get(p.name, Any), found),
                    "required": p.default is p.empty and p.kind is not p.VAR_POSITIONAL,
                    "doc": notes.get(p.name, ""),
                }
                for p in parameters
            ],
        }
    return methods


def _builders(builders: Mapping[str, Builder], found: dict[str, Any]) -> dict[str, Any]:
    made = {}
    for name, builder in builders.items():
        setters: dict[str, list[str]] = {}
        if builder.config is not None:
            type_text(builder.config, found)
            fields: Mapping[str, Any] = getattr(builder.config, "model_fields", {})
            aliases: Mapping[str, str] = getattr(builder.config, "aliases", {})
            setters.update({field: ["set", field] for field in fields})
            setters.update({alias: ["set", field] for alias, field in aliases.items()})
        setters.update({key: list(value) for key, value in builder.extra.items()})
        made[name] = {
            "setters": setters,
            "build": builder.build,
            "config": builder.config.__name__ if builder.config else None,
        }
    return made


def split_doc(text: str) -> tuple[str, dict[str, str]]:
    """A Google-style docstring as its text and the notes of its ``Args:`` section."""
    head, _, tail = text.partition("\nArgs:\n")
    notes: dict[str, str] = {}
    name = ""
    for line in tail.splitlines():
        if match := re.match(r"\s{2,8}(\w+):\s*(.*)", line):
            name = match[1]
            notes[name] = match[2]
        elif line.strip() and line.startswith("   ") and name:
            notes[name] += " " + line.strip()
        elif line.strip():
            break
    return head.strip(), notes


def type_text(  # noqa: PLR0911 - one return a form of annotation
    hint: Any, found: dict[str, dict[str, Any]]
) -> str:
    """An annotation in the manifest's type language; models it meets are added to `found`."""
    if hint in _SCALARS:
        return _SCALARS[hint]
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _with_forms(type_text(args[0], found), args[1:])
    if origin in (typing.Union, types.UnionType):
        parts = dict.fromkeys(type_text(arg, found) for arg in args)
        return " | ".join(parts)
    if origin is typing.Literal:
        return " | ".join(f'"{arg}"' if isinstance(arg, str) else str(arg) for arg in args)
    if origin in (list, tuple, set, frozenset):
        inner = type_text(args[0], found) if args else "any"
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if origin in (dict, Mapping):
        return f"Record<string, {type_text(args[1], found) if len(args) > 1 else 'any'}>"
    return _class_text(hint, found)


def _with_forms(text: str, metadata: Iterable[Any]) -> str:
    """A type's text with the other forms that its validator reads."""
    return " | ".join([text, *(one.text for one in metadata if isinstance(one, Also))])


def _class_text(hint: Any, found: dict[str, dict[str, Any]]) -> str:
    if not isinstance(hint, type):
        return "any"
    if hint is ScriptFunction:
        return FUNCTION
    if issubclass(hint, ScriptObject):
        return hint.type_name
    script_type = getattr(hint, "script_type", None)
    if isinstance(script_type, dict):
        found.setdefault(hint.__name__, script_type)
        return hint.__name__
    if issubclass(hint, BaseModel):
        if hint.__name__ not in found:
            found[hint.__name__] = {}
            found[hint.__name__] = _model_type(hint, found)
        return hint.__name__
    return "any"


def _model_type(model: type[BaseModel], found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    aliases: dict[str, list[str]] = {}
    for alias, target in getattr(model, "aliases", {}).items():
        aliases.setdefault(target, []).append(alias)
    return {
        "doc": inspect.getdoc(model) or "",
        "fields": [
            {
                # Python cannot name a field `from` or `schema`: such ones have an alias.
                "name": field.alias or name,
                "type": _with_forms(type_text(field.annotation, found), field.metadata),
                "required": field.is_required(),
                "doc": field.description or "",
                "aliases": [one for one in aliases.get(name, []) if one != field.alias],
            }
            for name, field in model.model_fields.items()
        ],
    }
