"""Operations on JSON values: reading, writing, merging, comparing, flattening, validating."""

from __future__ import annotations

import json
from typing import Any

from llmspell_core.errors import LimitError, ValidationError
from llmspell_tools._parameters import wrong

TOOL = "json-processor"
MAX_DEPTH = 200


def read(text: str, field: str = "input") -> Any:
    """The value of a JSON text, or `input.invalid` with line and column."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _no_json(field, f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise too_deep() from None
    except ValueError as error:
        raise _no_json(field, str(error)) from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _no_json(field: str, why: str) -> ValidationError:
    return wrong(TOOL, field, f"is no JSON: {why}")


def write(value: Any, *, pretty: bool = False, field: str = "input") -> str:
    """A value as JSON."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2 if pretty else None)
    except RecursionError:
        raise too_deep() from None
    except (ValueError, TypeError) as error:
        raise wrong(TOOL, field, f"is nothing that JSON can hold: {error}") from None


def too_deep() -> LimitError:
    """For values nested too deep."""
    return LimitError(f"{TOOL}: a value is nested too deep", code="limit.value_depth")


def stream(text: str) -> list[Any]:
    """The values of JSON lines, or of values one after the other."""
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    found: list[Any] = []
    place = 0
    while (place := _skip(text, place)) < len(text):
        try:
            value, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError as error:
            where = f"{error.msg} at line {error.lineno}, column {error.colno}"
            raise _no_json("input", where) from None
        except RecursionError:
            raise too_deep() from None
        except ValueError as error:
            raise _no_json("input", str(error)) from None
        found.append(value)
    return found


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n,\x1e":
        place += 1
    return place


def merge(first: Any, second: Any, depth: int = 0) -> Any:
    """Two objects as one: objects inside are merged, everything else is the second's."""
    if depth > MAX_DEPTH:
        raise too_deep()
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return second
    merged = dict(first)
    for key, value in second.items():
        merged[key] = merge(merged[key], value, depth + 1) if key in merged else value
    return merged


def diff(old: Any, new: Any, path: str = "", depth: int = 0) -> list[dict[str, Any]]:
    """What changed from one value to the other, each with its JSON pointer."""
    if depth > MAX_DEPTH:
        raise too_deep()
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        return _each(old, new, [(key, _escaped(key)) for key in keys], path, depth)
    if isinstance(old, list) and isinstance(new, list):
        before, after = dict(enumerate(old)), dict(enumerate(new))
        keys = [(index, str(index)) for index in range(max(len(old), len(new)))]
        return _each(before, after, keys, path, depth)
    if _same(old, new):
        return []
    return [{"op": "replace", "path": path, "old": old, "new": new}]


def _each(
    old: dict[Any, Any], new: dict[Any, Any], keys: list[Any], path: str, depth: int
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for key, name in keys:
        where = f"{path}/{name}"
        if key not in old:
            found.append({"op": "add", "path": where, "new": new[key]})
        elif key not in new:
            found.append({"op": "remove", "path": where, "old": old[key]})
        else:
            found += diff(old[key], new[key], where, depth + 1)
    return found


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _same(old: Any, new: Any) -> bool:
    # In JSON true is not 1; 1 and 1.0 are the same number.
    return isinstance(old, bool) == isinstance(new, bool) and bool(old == new)


def flatten(value: Any, prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """`{"a": {"b": [1]}}` -> `{"a.b.0": 1}`; empty objects and lists stay."""
    if depth > MAX_DEPTH:
        raise too_deep()
    if isinstance(value, dict) and value:
        items = [*value.items()]
    elif isinstance(value, list) and value:
        items = [(str(index), item) for index, item in enumerate(value)]
    else:
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, item in items:
        flat.update(flatten(item, f"{prefix}.{key}" if prefix else key, depth + 1))
    return flat
