"""JSON schemas made simple enough for llama.cpp: references put in, the unknown left out.

What is left out constrains nothing here; whoever asked validates the result.
"""

from __future__ import annotations

import re
from typing import Any

_DEPTH = 12
#: Keywords that constrain what is decoded, and that every build of llama.cpp understands.
_KEPT = frozenset(
    {
        *("type", "properties", "required", "additionalProperties", "items", "prefixItems"),
        *("enum", "const", "anyOf", "minItems", "maxItems", "minLength", "maxLength"),
        *("minimum", "maximum", "pattern", "format"),
    }
)
_FORMATS = frozenset({"date", "time", "date-time", "uuid"})
#: Patterns of plain characters, classes, groups and counts, anchored at both ends.
_PATTERN = re.compile(
    r"\^(?:[\w \-@:/.,;#%&=~'\"<>!]|\[(?:[^\[\]\\^]|\\[dw])+\]|\\[dw.\-]|[()|?*+{}])*\$"
)
_CLASSES = {r"\d": "0-9", r"\w": "A-Za-z0-9_"}
#: Longest repetition that is worth a grammar of its own size.
_MAX_COUNT = 1000


def simplify(schema: Any) -> dict[str, Any]:
    """An equal or wider schema without references and without keywords llama.cpp lacks."""
    return _simple(schema, schema if isinstance(schema, dict) else {}, 0)


def _simple(schema: Any, root: dict[str, Any], depth: int) -> dict[str, Any]:
    if not isinstance(schema, dict) or depth > _DEPTH:
        return {}
    schema = _merged(_resolved(schema, root), root, depth)
    made = {key: value for key, value in schema.items() if key in _KEPT}
    _drop_unheld(made)
    for key in ("anyOf", "prefixItems"):
        if key in made:
            made[key] = [_simple(one, root, depth + 1) for one in made[key]]
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = _simple(made[key], root, depth + 1)
    if isinstance(made.get("properties"), dict) and made["properties"]:
        parts = made["properties"].items()
        made["properties"] = {name: _simple(part, root, depth + 1) for name, part in parts}
        made.setdefault("type", "object")
        # A model invents names where it may.
        made.setdefault("additionalProperties", False)
        required = made.get("required", [])
        made["required"] = [name for name in made["properties"] if name in required]
    return made


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    seen = 0
    while isinstance(schema.get("$ref"), str) and seen < _DEPTH:
        target: Any = root
        for part in schema["$ref"].removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            target = target.get(name, {}) if isinstance(target, dict) else {}
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**(target if isinstance(target, dict) else {}), **rest}
        seen += 1
    return schema


def _merged(schema: dict[str, Any], root: dict[str, Any], depth: int) -> dict[str, Any]:
    """`allOf` put into the schema itself, `oneOf` read as `anyOf`."""
    made = dict(schema)
    for one in made.pop("allOf", []):
        if not isinstance(one, dict) or depth > _DEPTH:
            continue
        part = _merged(_resolved(one, root), root, depth + 1)
        for key, value in part.items():
            if key == "properties":
                made[key] = {**value, **made.get(key, {})}
            elif key == "required":
                made[key] = [*made.get(key, []), *value]
            else:
                made.setdefault(key, value)
    if "oneOf" in made:
        made.setdefault("anyOf", made.pop("oneOf"))
    return made


def _drop_unheld(made: dict[str, Any]) -> None:
    if made.get("format") not in _FORMATS:
        made.pop("format", None)
    pattern = made.pop("pattern", None)
    if isinstance(pattern, str) and _PATTERN.fullmatch(pattern) and "format" not in made:
        made["pattern"] = _portable(pattern)
    for key in ("minItems", "maxItems", "minLength", "maxLength"):
        if key in made and not _is_count(made[key]):
            del made[key]
    kind = made.get("type")
    if kind not in ("integer", "number"):
        # llama.cpp refuses a range beside a list of types.
        made.pop("minimum", None)
        made.pop("maximum", None)
    elif kind == "number" or not all(
        isinstance(made.get(key, 0), int) for key in ("minimum", "maximum")
    ):
        made.pop("minimum", None)
        made.pop("maximum", None)
    if made.get("anyOf") == []:
        del made["anyOf"]


def _portable(pattern: str) -> str:
    """The pattern with its short classes written out."""
    parts = re.split(r"(\[[^\]]*\])", pattern)
    for short, long in _CLASSES.items():
        parts = [
            part.replace(short, long if part.startswith("[") else f"[{long}]") for part in parts
        ]
    return "".join(parts)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_COUNT
